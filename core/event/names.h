/* The lists of words behind jb_names_get, for the tables of the library. */
#ifndef JANGBU_NAMES_H
#define JANGBU_NAMES_H

#include <jangbu/event.h>

extern const struct jb_names jb_wallet_kind_names, jb_wallet_status_names, jb_method_names,
    jb_origin_names, jb_reason_names, jb_scope_names, jb_failure_names, jb_policy_names,
    jb_grant_state_names, jb_refund_state_names, jb_role_names, jb_how_names, jb_left_names,
    jb_channel_kind_names, jb_settlement_names, jb_person_state_names, jb_channel_state_names,
    jb_biz_state_names, jb_sales_state_names, jb_invoice_kind_names, jb_invoice_reason_names,
    jb_invoice_why_names, jb_mail_result_names, jb_invoice_state_names;

#endif
