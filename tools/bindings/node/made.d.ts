// What stands in tables of libjangbu-json, as TypeScript. Made by tools/bindings/generate: change nothing here.

/** A whole number that goes in: a number that is safe (below 2^53), or a bigint. */
export type Int = number | bigint;
export interface Actor { id: string; role?: string }
/** A command of any op. */
export type Command = { op: string } & Record<string, unknown>;
/** Rows from all pages of a list; `pages()` has them page by page. Nothing is asked before the first is taken. */
export interface Pages<P, R> extends AsyncIterable<R> {
  pages(): AsyncIterableIterator<P>;
}

export interface Part<I = number> {
  amount: I;
  from?: string;
  to?: string;
  lot?: I;
  grant_no?: I;
}
export interface Figures<I = number> {
  status: string;
  paid: I;
  free: I;
  free_dormant: I;
  total: I;
  refundable: I;
  refund_pending: I;
  refund_in_transit: I;
  debt: I;
}
export interface Done<I = number> {
  ok: boolean;
  line?: I;
  seq?: I;
  wallet_version?: I;
  key?: string;
  duplicate?: boolean;
  content_checked?: boolean;
  dry_run?: boolean;
  balance?: Figures<I>;
  amount?: I;
  applied_to_debt?: I;
  same_txn?: I;
  free?: I;
  paid?: I;
  debt?: I;
  lapsed?: I;
  parts?: Part<I>[];
  scope?: string;
  outcome?: string;
  why?: string;
  forfeited?: I;
  day?: string;
  until?: string;
  search_id?: string;
  base?: I;
  agency?: string;
  settlement?: string;
  limit?: I;
  invoice?: I;
  kind?: string;
  month?: string;
  supply?: I;
  vat?: I;
  total?: I;
  written_on?: string;
  negative?: I;
  results?: Done<I>[];
}
export interface Conditions<I = number> {
  not_off?: string;
  paid_not_zero?: I;
  refund_outstanding?: I;
  sales_right?: I;
  postpaid?: I;
  uninvoiced?: I;
}
export interface Refusal<I = number> {
  ok: boolean;
  code: string;
  message: string;
  line?: I;
  seq?: I;
  key?: string;
  duplicate?: boolean;
  content_checked?: boolean;
  dry_run?: boolean;
  index?: I;
  field?: string;
  column?: I;
  version?: I;
  status?: string;
  allows?: string[];
  conditions?: Conditions<I>;
  available?: I;
  postpaid_limit?: I;
  have?: string[];
  have_now?: string[];
  who?: string[];
  kind?: string;
  kinds?: string[];
  state?: string;
  channel_kind?: string;
  until?: string;
  members_max?: I;
  wallets?: I;
  channels?: I;
  roles?: I;
  refundable?: I;
  debt?: I;
  left?: I;
  min_charge?: I;
  limit?: I;
  expires_on?: string;
  grants_max?: I;
  now?: string;
  behind_us?: I;
  ahead_us?: I;
  recorded_at?: string;
  first_open_day?: string;
  days?: I;
  empty_days_max?: I;
  invoice?: I;
  parts_max?: I;
  most?: I;
  days_max?: I;
}
export interface Moment<I = number> {
  seq: I;
  at: string;
}
export interface Event<I = number> {
  seq: I;
  type: string;
  recorded_at: string | null;
  wallet?: string | null;
  occurred_at?: string | null;
  posted_on?: string | null;
  prev?: I;
  [more: string]: any;
}
export interface FeedEvent<I = number> {
  seq: I;
  type: string;
  recorded_at: string | null;
  wallet: string | null;
  occurred_at: string | null;
  posted_on: string | null;
  prev: I;
  effect: I;
  balance: Figures<I> | null;
  late: boolean;
  cursor: string;
  [more: string]: any;
}
export interface Feed<I = number> {
  rows: FeedEvent<I>[];
  next: string;
  more: boolean;
  through: I;
  head: I;
}
export interface Balance<I = number> {
  wallet: string;
  name: string | null;
  name_why?: string;
  status: string;
  paid: I;
  free: I;
  free_dormant: I;
  total: I;
  refundable: I;
  refund_pending: I;
  refund_in_transit: I;
  debt: I;
  version: I;
  as_of: Moment<I>;
}
export interface Day<I = number> {
  day: string;
  wallet?: string;
  charged: I;
  charge_reversed: I;
  free_activated: I;
  consumed_paid: I;
  consumed_free: I;
  returned: I;
  refunded: I;
  refund_failed: I;
  debt_repaid: I;
  expired: I;
  forfeited: I;
  closing_total: I;
  closing_paid: I;
  closing_free: I;
}
export interface CashStatus<I = number> {
  wallet: string;
  view: string;
  rows: Day<I>[];
  through: string | null;
  open_day: string;
  past_day_open: boolean;
  as_of: Moment<I>;
}
export interface HistoryRow<I = number> {
  seq: I;
  type: string;
  at: string;
  recorded_at: string;
  posted_on: string;
  late: boolean;
  effect: I;
  balance: I;
  amount?: I;
  parts?: Part<I>[];
  [more: string]: any;
}
export interface History<I = number> {
  wallet: string;
  rows: HistoryRow<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Refused<I = number> {
  wallet: string;
  rows: Event<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface FoundEvent<I = number> {
  seq: I;
  type: string;
  recorded_at: string | null;
  wallet?: string | null;
  what: string[];
  belongs_to: string | null;
  [more: string]: any;
}
export interface Found<I = number> {
  text: string;
  rows: FoundEvent<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface WalletRow<I = number> {
  wallet: string;
  status: string;
  paid: I;
  free: I;
  free_dormant: I;
  total: I;
  refundable: I;
  refund_pending: I;
  refund_in_transit: I;
  debt: I;
  version: I;
  kind: string;
  name_ref: I;
  master_ref: I;
  used_at: string | null;
}
export interface Wallets<I = number> {
  rows: WalletRow<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Charge<I = number> {
  seq: I;
  type: string;
  at: string;
  recorded_at: string;
  charge: string;
  lot: I;
  amount: I;
  applied_to_debt: I;
  method: string;
  pg: string | null;
  txn_ref: string | null;
  approve_no: string | null;
  state: string;
  left: I;
  reversed: I;
  refunded: I;
  channel?: string;
}
export interface Charges<I = number> {
  wallet: string;
  rows: Charge<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Lot<I = number> {
  seq: I;
  type: string;
  at: string;
  recorded_at: string;
  charge?: string;
  lot: I;
  amount: I;
  applied_to_debt?: I;
  method?: string;
  pg: string | null;
  txn_ref: string | null;
  approve_no?: string | null;
  state: string;
  left: I;
  reversed: I;
  refunded: I;
  channel?: string;
}
export interface Lots<I = number> {
  wallet: string;
  rows: Lot<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Grant<I = number> {
  seq: I;
  type: string;
  at: string;
  recorded_at: string;
  grant: string;
  grant_no: I;
  amount: I;
  origin: string;
  expires_on: string;
  reason_ref: I;
  state: string;
  left: I;
  due: boolean;
}
export interface Grants<I = number> {
  wallet: string;
  rows: Grant<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Refund<I = number> {
  seq: I;
  type: string;
  at: string;
  recorded_at: string;
  wallet?: string;
  refund: string;
  refund_no: I;
  amount: I;
  scope: string;
  state: string;
}
export interface Refunds<I = number> {
  wallet?: string;
  rows: Refund<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Events<I = number> {
  wallet?: string;
  channel?: string;
  rows: Event<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Cause<I = number> {
  cause: string;
  late: boolean;
  amount: I;
  events: I[];
  events_total: I;
}
export interface Outside<I = number> {
  what: string;
  amount: I;
}
export interface Explanation<I = number> {
  wallet: string;
  difference: I;
  causes: Cause<I>[];
  rest: I;
  as_of: Moment<I>;
  total_now?: I;
  cash_status_total?: I;
  through?: string | null;
  outside?: Outside<I>[];
  refund_pending?: I;
  change?: string;
  since?: Moment<I>;
  before?: I;
  after?: I;
  apart?: Outside<I>[];
  from?: string;
  to?: string;
  day?: string;
  late?: Cause<I>[];
  [more: string]: any;
}
export interface LookUp<I = number> {
  by: string;
  email?: string | null;
  amount?: I;
  day?: string | null;
  bank?: string | null;
  account?: string | null;
  [more: string]: any;
}
export interface Receipt<I = number> {
  seq: I;
  type: string;
  at: string;
  recorded_at: string;
  paid_at: string;
  charge?: string;
  lot: I;
  amount: I;
  applied_to_debt?: I;
  method?: string;
  pg: string | null;
  txn_ref: string | null;
  approve_no?: string | null;
  gateway: string;
  where: string | null;
  look_up: LookUp<I>[];
  tax: string | null;
  cancelled: I;
  refunded: I;
  text: string;
  channel?: string;
}
export interface Receipts<I = number> {
  wallet: string;
  rows: Receipt<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Totals<I = number> {
  total: I;
  paid: I;
  free: I;
}
export interface Flows<I = number> {
  charged: I;
  charge_reversed: I;
  free_activated: I;
  consumed_paid: I;
  consumed_free: I;
  returned: I;
  refunded: I;
  refund_failed: I;
  debt_repaid: I;
  expired: I;
  forfeited: I;
}
export interface Statement<I = number> {
  wallet: string;
  from: string;
  to: string;
  rows: HistoryRow<I>[];
  opening: Totals<I>;
  closing: Totals<I>;
  sums: Flows<I>;
  as_of: Moment<I>;
}
export interface UsageRow<I = number> {
  seq: I;
  usage: string;
  amount: I;
  posted_on: string;
  consumption?: I;
}
export interface InvoiceRow<I = number> {
  invoice: I;
  kind: string;
  reason: string;
  month: string;
  written_on: string;
  state: string;
  supply: I;
  vat: I;
  total: I;
  original: I;
  approve_no: string | null;
  mails: I;
  in_force: boolean;
  seq: I;
  rows?: UsageRow<I>[];
}
export interface MonthOfCashStatus<I = number> {
  from: string;
  to: string;
  through: string | null;
  consumed_paid: I;
  returned: I;
  returned_free: I;
  open: I;
  other_months: I;
  elsewhere: I;
}
export interface Report<I = number> {
  wallet: string;
  month: string;
  documents: InvoiceRow<I>[];
  uninvoiced_rows: UsageRow<I>[];
  counted: boolean;
  net: I;
  invoiced: I;
  vat: I;
  uninvoiced: I;
  outside: I;
  unsettled: I;
  cash_status: MonthOfCashStatus<I>;
  as_of: Moment<I>;
}
export interface LedgerTotals<I = number> {
  wallets: I;
  wallets_in_debt: I;
  paid: I;
  debt: I;
  free: I;
  free_dormant: I;
  held: I;
  refund_in_transit: I;
  from: string;
  to: string;
  charged_12m: I;
  charged_12m_without_credits: I;
  as_of: Moment<I>;
}
export interface ExpiringGrant<I = number> {
  seq: I;
  type: string;
  at: string;
  recorded_at: string;
  wallet: string;
  grant: string;
  grant_no: I;
  amount: I;
  origin: string;
  expires_on: string;
  reason_ref: I;
  state: string;
  left: I;
  days: I;
}
export interface Expiring<I = number> {
  days: I;
  rows: ExpiringGrant<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Person<I = number> {
  ref: I | null;
  id?: string | null;
  why?: string;
  role?: string;
  until?: string;
}
export interface Who<I = number> {
  wallet: string;
  kind: string;
  status: string;
  settlement: string;
  limit: I;
  master: Person<I> | null;
  agency: string | null;
  email_ref: I | null;
  email?: string | null;
  email_why?: string;
  members: Person<I>[];
  invited: Person<I>[];
  channels: string[];
  as_of: Moment<I>;
}
export interface May<I = number> {
  wallet: string;
  actor: Person<I>;
  channel: string | null;
  matrix: I;
  roles: string[];
  ops: any;
  as_of: Moment<I>;
}
export interface Cell<I = number> {
  cell: string;
  op: string;
  roles: string[];
  both: string[];
}
export interface Roles<I = number> {
  in_force: I;
  matrix: I;
  cells: Cell<I>[];
}
export interface Channel<I = number> {
  channel: string;
  kind: string;
  search_id: string | null;
  mail_order: string | null;
  wallet: string | null;
  biz: string | null;
  staff: Person<I>[];
  closed: string | null;
  version: I;
  as_of: Moment<I>;
}
export interface BizRecord<I = number> {
  number: string;
  request: I;
  approved?: I;
  base?: I;
  stale?: boolean;
  biz_name_ref: I;
  representative_ref: I;
  address_ref: I;
  biz_name?: string | null;
  representative?: string | null;
  address?: string | null;
  biz_name_why?: string;
  representative_why?: string;
  address_why?: string;
}
export interface Biz<I = number> {
  wallet?: string;
  channel?: string;
  number: string | null;
  record: BizRecord<I> | null;
  pending: BizRecord<I> | null;
  history: Event<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Remedy<I = number> {
  op: string;
  amount?: I | null;
  who: string[];
}
export interface Condition<I = number> {
  name: string;
  ok: boolean;
  figure: I | string | null;
  remedy: Remedy<I> | null;
  papers?: I;
  from?: string | null;
  all_from?: string | null;
  or?: Remedy<I>;
}
export interface CanDelete<I = number> {
  wallet: string;
  status: string;
  can_delete: boolean;
  conditions: Condition<I>[];
  forfeits: I;
  as_of: Moment<I>;
}
export interface Reply<I = number> {
  wallet: string;
  question: I;
  answered: I;
  lang: string;
  text: string;
  events: I[];
  events_total: I;
  as_of: Moment<I>;
}
export interface Invoices<I = number> {
  wallet: string;
  month: string | null;
  rows: InvoiceRow<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Mail<I = number> {
  seq: I;
  result: string;
  at: string;
}
export interface Recipient<I = number> {
  number: string;
  biz_name_ref: I;
  representative_ref: I;
  address_ref: I;
  email_ref: I | null;
  business: I;
  biz_name?: string | null;
  representative?: string | null;
  address?: string | null;
  email?: string | null;
  biz_name_why?: string;
  representative_why?: string;
  address_why?: string;
  email_why?: string;
}
export interface Invoice<I = number> {
  wallet: string;
  invoice: I;
  kind: string;
  reason: string;
  month: string;
  written_on: string;
  state: string;
  supply: I;
  vat: I;
  total: I;
  original: I;
  approve_no: string | null;
  mails: I;
  in_force: boolean;
  seq: I;
  why: string | null;
  outside_ref: string | null;
  after: I;
  through: I;
  issued_at: string;
  ended_at: string | null;
  mail: Mail<I> | null;
  recipient: Recipient<I>;
  rows: UsageRow<I>[];
  as_of: Moment<I>;
}
export interface ToDo<I = number> {
  op: string;
  wallet?: string;
  month?: string;
  key?: string;
  day?: string;
  grant?: string;
  invoice?: I;
  why?: string;
  late?: boolean;
  clock?: string;
}
export interface Due<I = number> {
  today: string;
  commands: ToDo<I>[];
  blocked: ToDo<I>[];
  late: I[];
  outside?: ToDo<I>[];
  next: string | null;
  as_of: Moment<I>;
}
export interface Policies<I = number> {
  min_charge: I;
  day_close: string;
  day_close_grace: I;
  grants_max: I;
  clock_tolerance: I;
  empty_days_max: I;
  vat_rate: I;
  roles: I;
  invite_days: I;
  members_max: I;
  biz_retention_days: I;
  search_id_marks: I;
  rules: I;
  clock_ahead_max: I;
  at_back_max: I;
  invoice_from: string | null;
  invoice_day: I;
  notice_days: I;
  receipt_tax: I;
}
export interface Stat<I = number> {
  events: I;
  frames: I;
  wallets: I;
  wallets_deleted: I;
  log_bytes: I;
  log_file_bytes: I;
  recorded_at: string | null;
  open_day: string | null;
  closed_through: string | null;
  past_day_open: boolean;
  currency: string;
  exponent: I;
  utc_offset: string;
  ledger_id: string;
  chain: string;
  stored_seq: I;
  views_seq: I;
  keys: I;
  policies: Policies<I>;
}
export interface Info<I = number> {
  currency: string;
  exponent: I;
  utc_offset: string;
  ledger_id: string;
  read_only: boolean;
  rolled_back: boolean;
  warning: string | null;
  secret_lost: boolean;
  secret_damaged: boolean;
  head_damaged: boolean;
  sealed: boolean;
  sealed_why: string | null;
  version: string;
}
export interface Head<I = number> {
  seq: I;
  recorded_at: string | null;
  chain: string;
}
export interface Growth<I = number> {
  seq: I;
  more: boolean;
}
export interface People<I = number> {
  layout: I;
  sealed: boolean;
  unfinished: boolean;
  older: boolean;
  epoch: I;
  owners: I;
  forgotten: I;
  lost: I;
  done: I;
  key_file: string | null;
}
export interface OpForm<I = number> {
  op: string;
  required: string[];
  optional: string[];
}
export interface MemberForm<I = number> {
  name: string;
  kind: string;
  words?: string[];
  min?: Int;
  max?: Int;
}
export interface Commands<I = number> {
  ops: OpForm<I>[];
  members: MemberForm<I>[];
}
export interface QueryForm<I = number> {
  ask: string;
  required: string[];
  optional: string[];
  answer: string;
}
export interface OptionForms<I = number> {
  open: MemberForm<I>[];
  init: MemberForm<I>[];
  apply: MemberForm<I>[];
}
export interface Queries<I = number> {
  queries: QueryForm<I>[];
  members: MemberForm<I>[];
  options: OptionForms<I>;
}
export interface WalletCreateCommand {
  wallet: string;
  kind: "PERSONAL" | "BUSINESS" | "OVERSEAS";
  name: string;
  master?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  channel?: string;
  caller?: string;
}
export interface WalletRenameCommand {
  wallet: string;
  name: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface WalletOffCommand {
  wallet: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface WalletOnCommand {
  wallet: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface WalletSuspendCommand {
  wallet: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface WalletLiftCommand {
  wallet: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface WalletDeleteCommand {
  wallet: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChargeCommand {
  wallet: string;
  charge: string;
  amount: Int;
  method?: "CREDIT_CARD" | "KAKAOPAY_CARD" | "VIRTUAL_ACCOUNT" | "KAKAOPAY_CARD_AUTO" | "CREDIT_CARD_REGULAR" | "ADMIN_CASH" | "ADV_RET_CASH";
  pg?: string;
  txn_ref?: string;
  approve_no?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  channel?: string;
  caller?: string;
}
export interface ChargeReverseCommand {
  wallet: string;
  charge: string;
  amount: Int;
  reason?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface DebtRepayCommand {
  wallet: string;
  amount: Int;
  pg?: string;
  txn_ref?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface FreeGrantCommand {
  wallet: string;
  grant: string;
  amount: Int;
  expires_on: string;
  reason?: string;
  origin?: "PROMOTION" | "EVENT" | "UNSENT_SIMPLE" | "UNSENT_NORMAL" | "OPERATOR";
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface FreeActivateCommand {
  wallet: string;
  grant: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface FreeRevokeCommand {
  wallet: string;
  grant: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ConsumeCommand {
  wallet: string;
  usage: string;
  amount: Int;
  overdraft?: boolean;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  channel?: string;
  caller?: string;
}
export interface ConsumeReverseCommand {
  wallet: string;
  amount: Int;
  usage?: string;
  reason?: string;
  seq?: Int;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface RefundRequestCommand {
  wallet: string;
  refund: string;
  amount?: Int;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface RefundApproveCommand {
  wallet: string;
  refund: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface RefundRejectCommand {
  wallet: string;
  refund: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface RefundCancelCommand {
  wallet: string;
  refund: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface RefundCompleteCommand {
  wallet: string;
  refund: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface RefundFailCommand {
  wallet: string;
  refund: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface PolicySetCommand {
  policy: "min_charge" | "day_close" | "day_close_grace" | "grants_max" | "clock_tolerance" | "empty_days_max" | "vat_rate" | "roles" | "invite_days" | "members_max" | "biz_retention_days" | "search_id_marks" | "rules" | "clock_ahead_max" | "at_back_max" | "invoice_from" | "invoice_day" | "notice_days" | "receipt_tax";
  value: Int | string;
  from?: string | Date;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  note?: string;
  caller?: string;
}
export interface DayCloseCommand {
  day: string;
  force?: boolean;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  note?: string;
  caller?: string;
}
export interface AtomicCommand {
  commands: Command[];
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  note?: string;
  caller?: string;
}
export interface RoleGiveCommand {
  person: string;
  role: "AGENCY" | "OPERATOR" | "GATEWAY" | "SYSTEM";
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  note?: string;
  agency?: string;
  caller?: string;
}
export interface RoleTakeCommand {
  person: string;
  role: "AGENCY" | "OPERATOR" | "GATEWAY" | "SYSTEM";
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  note?: string;
  agency?: string;
  caller?: string;
}
export interface MemberInviteCommand {
  wallet: string;
  person: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface MemberAcceptCommand {
  wallet: string;
  person: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface MemberLeaveCommand {
  wallet: string;
  person: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface MemberRemoveCommand {
  wallet: string;
  person: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface MasterTransferCommand {
  wallet: string;
  person: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChannelCreateCommand {
  person: string;
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  channel_kind?: "BASIC" | "BUSINESS";
  caller?: string;
}
export interface ManagerAddCommand {
  person: string;
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ManagerRemoveCommand {
  person: string;
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChannelTransferCommand {
  person: string;
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChannelConnectCommand {
  wallet: string;
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChannelDisconnectCommand {
  wallet: string;
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChannelCloseCommand {
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChannelSearchIdCommand {
  channel: string;
  search_id: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface ChannelMailOrderCommand {
  channel: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  mail_order?: string;
  caller?: string;
}
export interface BizRequestCommand {
  biz: string;
  biz_name: string;
  representative: string;
  address: string;
  wallet?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  channel?: string;
  caller?: string;
}
export interface BizApproveCommand {
  seq: Int;
  wallet?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  channel?: string;
  caller?: string;
}
export interface BizRefuseCommand {
  seq: Int;
  wallet?: string;
  reason?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  channel?: string;
  caller?: string;
}
export interface InvoiceEmailCommand {
  wallet: string;
  email: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface SalesRequestCommand {
  wallet: string;
  agency: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface SalesAcceptCommand {
  wallet: string;
  agency: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface SalesRefuseCommand {
  wallet: string;
  agency: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface SalesReleaseCommand {
  wallet: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface WalletSettlementCommand {
  wallet: string;
  settlement: "PREPAID" | "POSTPAID";
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  limit?: Int;
  caller?: string;
}
export interface ForgetCommand {
  wallet?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  person?: string;
  biz?: string;
  caller?: string;
}
export interface NoticeSendCommand {
  wallet: string;
  grant: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface InvoiceIssueCommand {
  wallet: string;
  month: string;
  reason?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface InvoiceCorrectCommand {
  wallet: string;
  reason: string;
  invoice: Int;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  ref?: string;
  caller?: string;
}
export interface InvoiceConfirmCommand {
  wallet: string;
  invoice: Int;
  approve_no?: string;
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface InvoiceFailCommand {
  wallet: string;
  invoice: Int;
  why: "CLOSED_BUSINESS" | "SUSPENDED_BUSINESS" | "WRONG_NUMBER" | "OTHER";
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface InvoiceMailCommand {
  wallet: string;
  invoice: Int;
  result: "SENT" | "BOUNCED";
  key?: string;
  actor?: Actor;
  at?: string | Date;
  clock?: string | Date;
  expect?: Int;
  note?: string;
  caller?: string;
}
export interface BalanceQuery {
  wallet: string;
  as_of?: Int | string | Date;
}
export interface CashStatusQuery {
  wallet: string;
  as_of?: Int | string | Date;
  view?: "posted" | "known";
  from_day?: string;
  to_day?: string;
  newest_first?: boolean;
  amount_min?: Int;
  amount_max?: Int;
  flow?: "any" | "charged" | "charge_reversed" | "free_activated" | "consumed_paid" | "consumed_free" | "returned" | "refunded" | "refund_failed" | "debt_repaid" | "expired" | "forfeited";
}
export interface CashDayQuery {
  day: string;
  as_of?: Int | string | Date;
}
export interface HistoryQuery {
  wallet: string;
  as_of?: Int | string | Date;
  type?: "all" | "charge" | "consumption" | "return" | "refund";
  limit?: Int;
  cursor?: string;
  people?: boolean;
  types?: string[];
  since?: Int | string | Date;
  until?: Int | string | Date;
  oldest_first?: boolean;
  amount_min?: Int;
  amount_max?: Int;
}
export interface RefusedQuery {
  wallet: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
}
export interface FindQuery {
  text: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  people?: boolean;
}
export interface WalletsQuery {
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  statuses?: ("ACTIVE" | "OFF" | "SUSPENDED" | "DELETED")[];
  kinds?: ("PERSONAL" | "BUSINESS" | "OVERSEAS")[];
  name?: string;
  master?: string;
  total_min?: Int;
  total_max?: Int;
  paid_min?: Int;
  paid_max?: Int;
  used_since?: Int | string | Date;
  used_before?: Int | string | Date;
}
export interface ChargesQuery {
  wallet: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  open?: boolean;
}
export interface LotsQuery {
  wallet: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  open?: boolean;
}
export interface GrantsQuery {
  wallet: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  open?: boolean;
}
export interface RefundsQuery {
  wallet?: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  open?: boolean;
}
export interface EventsQuery {
  wallet?: string;
  channel?: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  people?: boolean;
  types?: string[];
  since?: Int | string | Date;
  until?: Int | string | Date;
  newest_first?: boolean;
  amount_min?: Int;
  amount_max?: Int;
}
export interface FeedQuery {
  wallet?: string;
  limit?: Int;
  cursor?: string;
  people?: boolean;
  after?: Int;
}
export interface ExplainQuery {
  wallet: string;
  as_of?: Int | string | Date;
  from_day?: string;
  to_day?: string;
  day?: string;
  since?: Int | string | Date;
}
export interface ReceiptsQuery {
  wallet: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
}
export interface StatementQuery {
  wallet: string;
  from_day: string;
  to_day: string;
  as_of?: Int | string | Date;
}
export interface ReportQuery {
  wallet: string;
  month: string;
  as_of?: Int | string | Date;
}
export interface TotalsQuery {
  as_of?: Int | string | Date;
}
export interface ExpiringQuery {
  wallet?: string;
  days?: Int;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
}
export interface WhoQuery {
  wallet: string;
  people?: boolean;
}
export interface MayQuery {
  wallet: string;
  actor: string;
  channel?: string;
  people?: boolean;
}
export interface RolesQuery {
}
export interface ChannelQuery {
  channel: string;
  people?: boolean;
}
export interface BizQuery {
  wallet?: string;
  channel?: string;
  limit?: Int;
  cursor?: string;
  people?: boolean;
}
export interface CanDeleteQuery {
  wallet: string;
}
export interface AnswerQuery {
  wallet: string;
  question: Int;
  channel?: string;
  charge?: string;
  lang?: "en" | "ko";
  people?: boolean;
  month?: string;
}
export interface InvoicesQuery {
  wallet: string;
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  month?: string;
}
export interface InvoiceQuery {
  invoice: Int;
  as_of?: Int | string | Date;
  people?: boolean;
}
export interface DueQuery {
  as_of?: Int | string | Date;
  limit?: Int;
  cursor?: string;
  outside?: boolean;
  kind?: "all" | "day" | "invoice" | "notice";
}
export interface LogQuery {
  limit?: Int;
  from?: Int;
  people?: boolean;
}
export interface StatQuery {
}
export interface InfoQuery {
}
export interface HeadQuery {
}
export interface WaitQuery {
  after: Int;
  timeout_us?: Int;
}
export interface PoliciesQuery {
}
export interface PeopleQuery {
}
export interface CommandsQuery {
}
export interface QueriesQuery {
}
export interface OpenOptions {
  read_only?: boolean;
  caller?: string;
  lock_wait_us?: Int;
  accept_rollback?: boolean;
  accept_clock?: boolean;
  key_file?: string;
  lang?: "en" | "ko";
  init?: InitOptions;
}
export interface InitOptions {
  currency?: string;
  exponent?: Int;
  utc_offset?: string;
  key_file?: string;
}
export interface ApplyOptions {
  clock?: "system" | "at";
  dry_run?: boolean;
  caller?: string;
  accept_clock?: boolean;
  lang?: "en" | "ko";
  line?: Int;
}

/** A method for each op. */
export interface Ops<R> {
  /** Op `wallet.create`.
   * Needs wallet (id), kind (PERSONAL BUSINESS OVERSEAS), name (name).
   * May have master (id), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
   * channel (id), caller (caller). */
  walletCreate(members: WalletCreateCommand): R;
  /** Op `wallet.rename`.
   * Needs wallet (id), name (name).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  walletRename(members: WalletRenameCommand): R;
  /** Op `wallet.off`.
   * Needs wallet (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  walletOff(members: WalletOffCommand): R;
  /** Op `wallet.on`.
   * Needs wallet (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  walletOn(members: WalletOnCommand): R;
  /** Op `wallet.suspend`.
   * Needs wallet (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  walletSuspend(members: WalletSuspendCommand): R;
  /** Op `wallet.lift`.
   * Needs wallet (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  walletLift(members: WalletLiftCommand): R;
  /** Op `wallet.delete`.
   * Needs wallet (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  walletDelete(members: WalletDeleteCommand): R;
  /** Op `charge`.
   * Needs wallet (id), charge (id), amount (amount).
   * May have method (CREDIT_CARD KAKAOPAY_CARD VIRTUAL_ACCOUNT KAKAOPAY_CARD_AUTO CREDIT_CARD_REGULAR ADMIN_CASH
   * ADV_RET_CASH), pg (short), txn_ref (reference), approve_no (short), key (key), actor (actor), at (instant), clock
   * (instant), expect (number), note (text), channel (id), caller (caller). */
  charge(members: ChargeCommand): R;
  /** Op `charge.reverse`.
   * Needs wallet (id), charge (id), amount (amount).
   * May have reason (text), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
   * caller (caller). */
  chargeReverse(members: ChargeReverseCommand): R;
  /** Op `debt.repay`.
   * Needs wallet (id), amount (amount).
   * May have pg (short), txn_ref (reference), key (key), actor (actor), at (instant), clock (instant), expect (number),
   * note (text), caller (caller). */
  debtRepay(members: DebtRepayCommand): R;
  /** Op `free.grant`.
   * Needs wallet (id), grant (id), amount (amount), expires_on (day).
   * May have reason (text), origin (PROMOTION EVENT UNSENT_SIMPLE UNSENT_NORMAL OPERATOR), key (key), actor (actor), at
   * (instant), clock (instant), expect (number), note (text), caller (caller). */
  freeGrant(members: FreeGrantCommand): R;
  /** Op `free.activate`.
   * Needs wallet (id), grant (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  freeActivate(members: FreeActivateCommand): R;
  /** Op `free.revoke`.
   * Needs wallet (id), grant (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  freeRevoke(members: FreeRevokeCommand): R;
  /** Op `consume`.
   * Needs wallet (id), usage (id), amount (amount).
   * May have overdraft (boolean), key (key), actor (actor), at (instant), clock (instant), expect (number), note
   * (text), channel (id), caller (caller). */
  consume(members: ConsumeCommand): R;
  /** Op `consume.reverse`.
   * Needs wallet (id), amount (amount).
   * May have usage (id), reason (text), seq (number), key (key), actor (actor), at (instant), clock (instant), expect
   * (number), note (text), caller (caller). */
  consumeReverse(members: ConsumeReverseCommand): R;
  /** Op `refund.request`.
   * Needs wallet (id), refund (id).
   * May have amount (amount), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
   * caller (caller). */
  refundRequest(members: RefundRequestCommand): R;
  /** Op `refund.approve`.
   * Needs wallet (id), refund (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  refundApprove(members: RefundApproveCommand): R;
  /** Op `refund.reject`.
   * Needs wallet (id), refund (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  refundReject(members: RefundRejectCommand): R;
  /** Op `refund.cancel`.
   * Needs wallet (id), refund (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  refundCancel(members: RefundCancelCommand): R;
  /** Op `refund.complete`.
   * Needs wallet (id), refund (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  refundComplete(members: RefundCompleteCommand): R;
  /** Op `refund.fail`.
   * Needs wallet (id), refund (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  refundFail(members: RefundFailCommand): R;
  /** Op `policy.set`.
   * Needs policy (word), value (value).
   * May have from (instant), key (key), actor (actor), at (instant), clock (instant), note (text), caller (caller). */
  policySet(members: PolicySetCommand): R;
  /** Op `day.close`.
   * Needs day (day).
   * May have force (boolean), key (key), actor (actor), at (instant), clock (instant), note (text), caller (caller). */
  dayClose(members: DayCloseCommand): R;
  /** Op `atomic`.
   * Needs commands (list).
   * May have key (key), actor (actor), at (instant), clock (instant), note (text), caller (caller). */
  atomic(members: AtomicCommand): R;
  /** Op `role.give`.
   * Needs person (id), role (AGENCY OPERATOR GATEWAY SYSTEM).
   * May have key (key), actor (actor), at (instant), clock (instant), note (text), agency (id), caller (caller). */
  roleGive(members: RoleGiveCommand): R;
  /** Op `role.take`.
   * Needs person (id), role (AGENCY OPERATOR GATEWAY SYSTEM).
   * May have key (key), actor (actor), at (instant), clock (instant), note (text), agency (id), caller (caller). */
  roleTake(members: RoleTakeCommand): R;
  /** Op `member.invite`.
   * Needs wallet (id), person (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  memberInvite(members: MemberInviteCommand): R;
  /** Op `member.accept`.
   * Needs wallet (id), person (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  memberAccept(members: MemberAcceptCommand): R;
  /** Op `member.leave`.
   * Needs wallet (id), person (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  memberLeave(members: MemberLeaveCommand): R;
  /** Op `member.remove`.
   * Needs wallet (id), person (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  memberRemove(members: MemberRemoveCommand): R;
  /** Op `master.transfer`.
   * Needs wallet (id), person (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  masterTransfer(members: MasterTransferCommand): R;
  /** Op `channel.create`.
   * Needs person (id), channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), channel_kind (BASIC
   * BUSINESS), caller (caller). */
  channelCreate(members: ChannelCreateCommand): R;
  /** Op `manager.add`.
   * Needs person (id), channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  managerAdd(members: ManagerAddCommand): R;
  /** Op `manager.remove`.
   * Needs person (id), channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  managerRemove(members: ManagerRemoveCommand): R;
  /** Op `channel.transfer`.
   * Needs person (id), channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  channelTransfer(members: ChannelTransferCommand): R;
  /** Op `channel.connect`.
   * Needs wallet (id), channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  channelConnect(members: ChannelConnectCommand): R;
  /** Op `channel.disconnect`.
   * Needs wallet (id), channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  channelDisconnect(members: ChannelDisconnectCommand): R;
  /** Op `channel.close`.
   * Needs channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  channelClose(members: ChannelCloseCommand): R;
  /** Op `channel.search_id`.
   * Needs channel (id), search_id (search_id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  channelSearchId(members: ChannelSearchIdCommand): R;
  /** Op `channel.mail_order`.
   * Needs channel (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), mail_order (line),
   * caller (caller). */
  channelMailOrder(members: ChannelMailOrderCommand): R;
  /** Op `biz.request`.
   * Needs biz (biz), biz_name (line), representative (line), address (line).
   * May have wallet (id), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
   * channel (id), caller (caller). */
  bizRequest(members: BizRequestCommand): R;
  /** Op `biz.approve`.
   * Needs seq (number).
   * May have wallet (id), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
   * channel (id), caller (caller). */
  bizApprove(members: BizApproveCommand): R;
  /** Op `biz.refuse`.
   * Needs seq (number).
   * May have wallet (id), reason (text), key (key), actor (actor), at (instant), clock (instant), expect (number), note
   * (text), channel (id), caller (caller). */
  bizRefuse(members: BizRefuseCommand): R;
  /** Op `invoice.email`.
   * Needs wallet (id), email (email).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  invoiceEmail(members: InvoiceEmailCommand): R;
  /** Op `sales.request`.
   * Needs wallet (id), agency (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  salesRequest(members: SalesRequestCommand): R;
  /** Op `sales.accept`.
   * Needs wallet (id), agency (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  salesAccept(members: SalesAcceptCommand): R;
  /** Op `sales.refuse`.
   * Needs wallet (id), agency (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  salesRefuse(members: SalesRefuseCommand): R;
  /** Op `sales.release`.
   * Needs wallet (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  salesRelease(members: SalesReleaseCommand): R;
  /** Op `wallet.settlement`.
   * Needs wallet (id), settlement (PREPAID POSTPAID).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), limit (amount or
   * 0), caller (caller). */
  walletSettlement(members: WalletSettlementCommand): R;
  /** Op `forget`.
   * Needs nothing.
   * May have wallet (id), key (key), actor (actor), at (instant), clock (instant), person (id), biz (biz), caller
   * (caller). */
  forget(members: ForgetCommand): R;
  /** Op `notice.send`.
   * Needs wallet (id), grant (id).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  noticeSend(members: NoticeSendCommand): R;
  /** Op `invoice.issue`.
   * Needs wallet (id), month (month).
   * May have reason (text), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
   * caller (caller). */
  invoiceIssue(members: InvoiceIssueCommand): R;
  /** Op `invoice.correct`.
   * Needs wallet (id), reason (text), invoice (number).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), ref (reference),
   * caller (caller). */
  invoiceCorrect(members: InvoiceCorrectCommand): R;
  /** Op `invoice.confirm`.
   * Needs wallet (id), invoice (number).
   * May have approve_no (short), key (key), actor (actor), at (instant), clock (instant), expect (number), note (text),
   * caller (caller). */
  invoiceConfirm(members: InvoiceConfirmCommand): R;
  /** Op `invoice.fail`.
   * Needs wallet (id), invoice (number), why (CLOSED_BUSINESS SUSPENDED_BUSINESS WRONG_NUMBER OTHER).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  invoiceFail(members: InvoiceFailCommand): R;
  /** Op `invoice.mail`.
   * Needs wallet (id), invoice (number), result (SENT BOUNCED).
   * May have key (key), actor (actor), at (instant), clock (instant), expect (number), note (text), caller (caller). */
  invoiceMail(members: InvoiceMailCommand): R;
}

/** A method for each query. */
export interface Asks<I> {
  /** What a wallet has.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now. */
  balance(members: BalanceQuery): Promise<Balance<I>>;
  /** Its daily rows, as posted through the last closed day.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; view: `posted`: by posting day; `known`: by the day it happened, open days too; from_day: the
   * first day of rows; to_day: the last; newest_first: newest first; amount_min: of events: whose amount is at least
   * that; of days: with a flow of at least that; amount_max: at most that; flow: the days that have it, and between the
   * bounds. */
  cashStatus(members: CashStatusQuery): Promise<CashStatus<I>>;
  /** One row for each wallet on a closed day.
   * Members: day: a closed day; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed
   * day `"2026-10-31"`; now. */
  cashDay(members: CashDayQuery): Promise<Day<I>[]>;
  /** What happened to it, newest first; `next`: the cursor of the next page, null at the end.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; type: which kind of rows; limit: rows at most; 100; cursor: `next` of the page before; people:
   * the personal texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id:
   * null, why}; types: of these types only (docs/format.md), as a list: `["charge_settled"]`; since: from that event
   * on, or recorded at that time or later, or from that day on; until: up to that event, or recorded before that time,
   * or up to the end of that day; oldest_first: oldest first; balances are those of the whole history; amount_min: of
   * events: whose amount is at least that; of days: with a flow of at least that; amount_max: at most that. */
  history(members: HistoryQuery): Pages<History<I>, HistoryRow<I>>;
  /** Commands on it that were refused, newest first; `next` as above.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before. */
  refused(members: RefusedQuery): Pages<Refused<I>, Event<I>>;
  /** The events in which it stands in clear, newest first, each with `what` (under which names) and `belongs_to` (the
   * wallet).
   * Members: text: whole, as it was given: an id, a key, a reference, a number; as_of: the moment: an event's number, a
   * time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of
   * the page before; people: the personal texts that events name by reference: actor, note, reason, name; one that is
   * not there is {ref, id: null, why}. */
  find(members: FindQuery): Pages<Found<I>, FoundEvent<I>>;
  /** Wallets and what they have, in the order in which they were made.
   * Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`;
   * now; limit: rows at most; 100; cursor: `next` of the page before; statuses: some of ACTIVE, OFF, SUSPENDED,
   * DELETED, as a list; kinds: some of PERSONAL, BUSINESS, OVERSEAS, as a list; name: that is part of the wallet's
   * name: each is looked up; master: id of the master; total_min: total cash, both bounds included; total_max: amount;
   * paid_min: paid cash, likewise; below 0 it is a debt; paid_max: amount; used_since: whose last consumption happened
   * at that time or later, or from that day on; no event's number; used_before: whose last one happened before that, or
   * that had none. */
  wallets(members?: WalletsQuery): Pages<Wallets<I>, WalletRow<I>>;
  /** Its charges: state, what is left of each, the gateway's keys.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open: lots and
   * grants with something left, refunds requested or approved; of the refunds of all wallets `false` is refused. */
  charges(members: ChargesQuery): Pages<Charges<I>, Charge<I>>;
  /** What its charges and debt repayments brought, and what is left of each.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open: lots and
   * grants with something left, refunds requested or approved; of the refunds of all wallets `false` is refused. */
  lots(members: LotsQuery): Pages<Lots<I>, Lot<I>>;
  /** Its free cash: state, what is left, the last day.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open: lots and
   * grants with something left, refunds requested or approved; of the refunds of all wallets `false` is refused. */
  grants(members: GrantsQuery): Pages<Grants<I>, Grant<I>>;
  /** Its refunds and their states; without a wallet the open ones of all.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; open: only what is open: lots and
   * grants with something left, refunds requested or approved; of the refunds of all wallets `false` is refused. */
  refunds(members?: RefundsQuery): Pages<Refunds<I>, Refund<I>>;
  /** Events in pages; of a wallet, or of a channel: those that belong to it.
   * Members: wallet: its id; channel: its id; as_of: the moment: an event's number, a time
   * `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the
   * page before; people: the personal texts that events name by reference: actor, note, reason, name; one that is not
   * there is {ref, id: null, why}; types: of these types only (docs/format.md), as a list: `["charge_settled"]`; since:
   * from that event on, or recorded at that time or later, or from that day on; until: up to that event, or recorded
   * before that time, or up to the end of that day; newest_first: newest first; amount_min: of events: whose amount is
   * at least that; of days: with a flow of at least that; amount_max: at most that. */
  events(members?: EventsQuery): Pages<Events<I>, Event<I>>;
  /** The log in order behind `after` or `cursor`, each event with its effect and the balance after it; below.
   * Members: wallet: its id; limit: rows at most; 100; cursor: `next` of the page before; people: the personal texts
   * that events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}; after: the
   * last event that is known; 0: none, which it is of `feed`. */
  feed(members?: FeedQuery): Promise<Feed<I>>;
  /** Why its total and its cash status differ; from one day to another: why the closing is not that before; `since` an
   * event or a time: why the total is another one; `day`: why that day is known otherwise than it was published.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; from_day: the first day of rows; to_day: the last; day: a closed day; since: from that event
   * on, or recorded at that time or later, or from that day on. */
  explain(members: ExplainQuery): Promise<Explanation<I>>;
  /** Where the receipts of its payments are, and by what they are found there (docs/papers.md).
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before. */
  receipts(members: ReceiptsQuery): Pages<Receipts<I>, Receipt<I>>;
  /** Its closed days: opening, rows with the balance after each, sums, closing.
   * Members: wallet: its id; from_day: the first day of rows; to_day: the last; as_of: the moment: an event's number, a
   * time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now. */
  statement(members: StatementQuery): Promise<Statement<I>>;
  /** Its tax month by document, equal to its invoices, and why it is not what the cash status has of the month.
   * Members: wallet: its id; month: a tax month, `"2026-03"`; of invoices all, of question 8 the newest with an
   * invoice; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`;
   * now. */
  report(members: ReportQuery): Promise<Report<I>>;
  /** What all wallets have and owe, and what was charged in twelve months.
   * Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`;
   * now. */
  totals(members?: TotalsQuery): Promise<LedgerTotals<I>>;
  /** Grants about to lapse.
   * Members: wallet: its id; days: at most so many days before its last one; 30; as_of: the moment: an event's number,
   * a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of
   * the page before. */
  expiring(members?: ExpiringQuery): Pages<Expiring<I>, ExpiringGrant<I>>;
  /** Who has to do with it: master, members, the invited, channels, agency.
   * Members: wallet: its id; people: the personal texts that events name by reference: actor, note, reason, name; one
   * that is not there is {ref, id: null, why}. */
  who(members: WhoQuery): Promise<Who<I>>;
  /** What that person may do to it now.
   * Members: wallet: its id; actor: the id of the person whom it is about; channel: its id; people: the personal texts
   * that events name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}. */
  may(members: MayQuery): Promise<May<I>>;
  /** The matrix: which roles carry which command. */
  roles(members?: RolesQuery): Promise<Roles<I>>;
  /** Kind, search id, mail-order number, wallet, business, staff.
   * Members: channel: its id; people: the personal texts that events name by reference: actor, note, reason, name; one
   * that is not there is {ref, id: null, why}. */
  channel(members: ChannelQuery): Promise<Channel<I>>;
  /** Business information of a wallet or a channel: what is approved, what is asked for, requests and reviews.
   * Members: wallet: its id; channel: its id; limit: rows at most; 100; cursor: `next` of the page before; people: the
   * personal texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id: null,
   * why}. */
  biz(members?: BizQuery): Pages<Biz<I>, Event<I>>;
  /** Whether it can be deleted, and what is in the way.
   * Members: wallet: its id. */
  canDelete(members: CanDeleteQuery): Promise<CanDelete<I>>;
  /** One of the ten questions (docs/questions.md): `text`, and the `events` behind it.
   * Members: wallet: its id; question: which of the ten; channel: its id; charge: of question 5: id of a charge; the
   * newest payment through a gateway; lang: of the answer; that of the handle; people: the personal texts that events
   * name by reference: actor, note, reason, name; one that is not there is {ref, id: null, why}; month: a tax month,
   * `"2026-03"`; of invoices all, of question 8 the newest with an invoice. */
  answer(members: AnswerQuery): Promise<Reply<I>>;
  /** Its tax invoices, from the oldest on.
   * Members: wallet: its id; as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day
   * `"2026-10-31"`; now; limit: rows at most; 100; cursor: `next` of the page before; month: a tax month, `"2026-03"`;
   * of invoices all, of question 8 the newest with an invoice. */
  invoices(members: InvoicesQuery): Pages<Invoices<I>, InvoiceRow<I>>;
  /** One of them, and the consumption that it adds up to.
   * Members: invoice: its number in the ledger; as_of: the moment: an event's number, a time
   * `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`; now; people: the personal texts that events name by
   * reference: actor, note, reason, name; one that is not there is {ref, id: null, why}. */
  invoice(members: InvoiceQuery): Promise<Invoice<I>>;
  /** What is to be done, as commands.
   * Members: as_of: the moment: an event's number, a time `"2026-10-31T09:00:00+09:00"`, a closed day `"2026-10-31"`;
   * now; limit: rows at most; 100; cursor: `next` of the page before; outside: what is to be done elsewhere, too:
   * documents to transmit and to mail; kind: of what is due. */
  due(members?: DueQuery): Pages<Due<I>, ToDo<I>>;
  /** The events, from a number on; none beyond the end.
   * Members: limit: rows at most; 100; from: the first event's number; 1. The next page: the last one's + 1; people:
   * the personal texts that events name by reference: actor, note, reason, name; one that is not there is {ref, id:
   * null, why}. */
  log(members?: LogQuery): Promise<Event<I>[]>;
  /** How large the ledger is, which day is open, which policies hold. */
  stat(members?: StatQuery): Promise<Stat<I>>;
  /** What never changes: currency, exponent, utc_offset, ledger_id; whether something is wrong beside the log; `sealed`:
   * there is no usable key, and nothing can be written; `sealed_why`: why not, or null. */
  info(members?: InfoQuery): Promise<Info<I>>;
  /** Where the log ends: seq, recorded_at, chain. */
  head(members?: HeadQuery): Promise<Head<I>>;
  /** Returns when the log ends behind that event, or the time is over: `seq`, where it ends, and `more`: whether that is
   * behind it.
   * Members: after: the last event that is known; 0: none, which it is of `feed`; timeout_us: microseconds; 1000000. 0
   * looks once. */
  wait(members: WaitQuery): Promise<Growth<I>>;
  /** Each policy with its value in force. */
  policies(members?: PoliciesQuery): Promise<Policies<I>>;
  /** What people.mdb says of itself: layout, sealed, unfinished, older (than the log), epoch, owners, forgotten, lost,
   * done, key_file. */
  people(members?: PeopleQuery): Promise<People<I>>;
  /** The ops, what each needs and may have, and how each member is written. */
  commands(members?: CommandsQuery): Promise<Commands<I>>;
  /** This table, and those of the members and options. */
  queries(members?: QueriesQuery): Promise<Queries<I>>;
}
