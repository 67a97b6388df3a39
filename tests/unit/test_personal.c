/* people.mdb of layout 2: texts sealed by their owners, forgetting in steps and after each of them,
 * and key files that are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "base/clock.h"
#include "personal/key_file.h"
#include "personal/personal.h"
#include "personal/seal.h"

static char scratch[64];
static char ledger[96], key_path[128], people_path[128];
static const uint8_t ledger_id[16] = {1, 2, 3, 4};

static int
begin_ledger(void **state)
{
    struct jb_key_file file = {.n = 1};
    struct jb_personal *p;
    struct jb_error err;
    (void)state;
    strcpy(scratch, "/tmp/jangbu-personal-XXXXXX");
    make_scratch(scratch);
    snprintf(ledger, sizeof ledger, "%s/ledger", scratch);
    snprintf(key_path, sizeof key_path, "%s/ledger.key", scratch);
    snprintf(people_path, sizeof people_path, "%s/people.mdb", ledger);
    assert_int_equal(mkdir(ledger, 0700), 0);
    assert_true(jb_seal_ready());
    jb_key_make(1, &file.keys[0]);
    assert_int_equal(jb_key_file_make(key_path, ledger, ledger_id, &file, &err), JB_OK);
    assert_int_equal(jb_personal_make(people_path, ledger_id, &file.keys[0], &p, &err), JB_OK);
    jb_personal_close(p);
    return 0;
}

static int
end_ledger(void **state)
{
    (void)state;
    remove_scratch(scratch);
    return 0;
}

static struct jb_personal *
open_people(void)
{
    struct jb_personal *p;
    struct jb_error err;
    jb_status status = jb_personal_open(ledger, ledger_id, NULL, false, false, &p, &err);
    if (status != JB_OK) {
        print_error("%s\n", err.text);
    }
    assert_int_equal(status, JB_OK);
    assert_int_equal(jb_personal_layout(p), 2);
    return p;
}

static uint64_t
refer(struct jb_personal *p, const char *text, bool shared, const struct jb_owners *owners)
{
    uint64_t ref = 0;
    struct jb_error err;
    assert_int_equal(jb_personal_refer(p, jb_text_of(text), shared, owners, &ref, &err), JB_OK);
    return ref;
}

static void
commit(struct jb_personal *p)
{
    struct jb_error err = {0};
    jb_status status = jb_personal_commit(p, &err);
    if (status != JB_OK) {
        print_error("%s\n", err.text);
    }
    assert_int_equal(status, JB_OK);
}

static void
begin(struct jb_personal *p)
{
    struct jb_error err;
    assert_int_equal(jb_personal_begin(p, 0, 1000000, &err), JB_OK);
}

/* "(forgotten)", "(sealed)", "(lost)" or the text. */
static const char *
shown(struct jb_personal *p, uint64_t ref)
{
    static char buf[JB_PERSON_TEXT_BYTES_MAX + 1];
    static const char *const words[] = {"", "(forgotten)", "(sealed)", "(lost)"};
    enum jb_text_state state;
    struct jb_error err;
    size_t n;
    assert_int_equal(jb_personal_get(p, ref, buf, &n, &state, &err), JB_OK);
    buf[n] = '\0';
    return state == JB_TEXT_THERE ? buf : words[state];
}

static uint64_t
find(struct jb_personal *p, const char *id)
{
    uint64_t ref;
    struct jb_error err;
    assert_int_equal(jb_personal_find(p, jb_text_of(id), &ref, &err), JB_OK);
    return ref;
}

static void
kill_person(struct jb_personal *p, uint64_t ref, jb_seq seq)
{
    const struct jb_owner o = {JB_OWNER_PERSON, ref};
    struct jb_error err;
    assert_int_equal(jb_personal_kill(p, &o, 1, seq, &err), JB_OK);
}

static unsigned
rotate(struct jb_personal *p, size_t owners)
{
    const struct jb_rotation r = {.owners = owners};
    struct jb_error err = {0};
    unsigned steps = 0;
    for (bool done = false; !done; steps++) {
        jb_status status = jb_personal_rotate(p, &r, &done, &err);
        if (status != JB_OK) {
            print_error("%s\n", err.text);
        }
        assert_int_equal(status, JB_OK);
    }
    return steps;
}

static void
test_texts(void **state)
{
    (void)state;
    struct jb_personal *p = open_people();
    struct jb_owners wallet = {0}, both = {0};
    begin(p);
    uint64_t anna = refer(p, "anna", true, NULL), ben = refer(p, "ben", true, NULL);
    assert_int_equal(refer(p, "anna", true, NULL), anna);
    assert_int_not_equal(anna, ben);
    jb_owners_add(&wallet, JB_OWNER_WALLET, 7);
    both = wallet;
    jb_owners_add(&both, JB_OWNER_PERSON, anna);
    jb_owners_add(&both, JB_OWNER_PERSON, anna);
    jb_owners_add(&both, JB_OWNER_PERSON, 0);
    assert_int_equal(both.n, 2);
    uint64_t name = refer(p, "name of wallet", false, &wallet);
    uint64_t note = refer(p, "anna called", false, &both);
    uint64_t free_text = refer(p, "rate for November", false, NULL);
    assert_int_equal(find(p, "ben"), ben);
    commit(p);
    begin(p);
    assert_int_equal(find(p, "anna"), anna);
    assert_int_equal(find(p, "carl"), 0);
    assert_string_equal(shown(p, anna), "anna");
    assert_string_equal(shown(p, name), "name of wallet");
    assert_string_equal(shown(p, note), "anna called");
    assert_string_equal(shown(p, free_text), "rate for November");
    assert_string_equal(shown(p, free_text + 1), "(lost)");
    assert_int_equal(refer(p, "carl", true, NULL), free_text + 1);
    jb_personal_cut(p, 0);
    /* Forgotten at once, before any key is changed; others are as they were. */
    kill_person(p, anna, 10);
    assert_int_equal(find(p, "anna"), 0);
    assert_string_equal(shown(p, anna), "(forgotten)");
    assert_string_equal(shown(p, note), "(forgotten)");
    assert_string_equal(shown(p, name), "name of wallet");
    assert_string_equal(shown(p, ben), "ben");
    rotate(p, 1);
    assert_string_equal(shown(p, anna), "(forgotten)");
    assert_string_equal(shown(p, name), "name of wallet");
    assert_string_equal(shown(p, free_text), "rate for November");
    assert_int_equal(find(p, "ben"), ben);
    /* The same id is somebody new; what was about the old one stays closed. */
    begin(p);
    uint64_t again = refer(p, "anna", true, NULL);
    assert_true(again > free_text);
    uint64_t later =
        refer(p, "ben wrote", false, &both); /* of the forgotten one, too: not of her */
    commit(p);
    assert_string_equal(shown(p, again), "anna");
    assert_string_equal(shown(p, anna), "(forgotten)");
    assert_string_equal(shown(p, later), "ben wrote");
    struct jb_people_count count;
    struct jb_people_texts texts;
    struct jb_error err;
    assert_int_equal(jb_personal_count(p, &count, &err), JB_OK);
    assert_int_equal(count.owners, 3);
    assert_int_equal(count.forgotten, 1);
    assert_int_equal(count.lost, 0);
    assert_int_equal(jb_personal_texts(p, &texts, &err), JB_OK);
    assert_int_equal(texts.readable, 5);
    assert_int_equal(texts.forgotten, 2);
    jb_personal_close(p);
}

/* A business that came back: its old record stays closed, and nobody's forgetting closes the new
 * one. */
static void
test_came_back(void **state)
{
    (void)state;
    struct jb_personal *p = open_people();
    struct jb_owners biz = {0};
    const struct jb_owner b = {JB_OWNER_BUSINESS, 1234567890};
    struct jb_error err;
    jb_owners_add(&biz, JB_OWNER_BUSINESS, 1234567890);
    begin(p);
    uint64_t first = refer(p, "first record", false, &biz);
    commit(p);
    assert_int_equal(jb_personal_kill(p, &b, 1, 5, &err), JB_OK);
    rotate(p, 0);
    begin(p);
    uint64_t second = refer(p, "second record", false, &biz);
    commit(p);
    assert_string_equal(shown(p, first), "(forgotten)");
    assert_string_equal(shown(p, second), "second record");
    rotate(p, 0);
    assert_string_equal(shown(p, first), "(forgotten)");
    assert_string_equal(shown(p, second), "second record");
    jb_personal_close(p);
}

static jb_status
master_of(void *data, uint32_t wallet, uint64_t *ret, struct jb_error *err)
{
    const uint64_t *masters = data;
    (void)err;
    *ret = masters[wallet];
    return JB_OK;
}

static jb_status
deleted_but_3(void *data, uint32_t wallet, bool *ret, struct jb_error *err)
{
    (void)data;
    (void)err;
    *ret = wallet != 3;
    return JB_OK;
}

static void
test_wallets_follow(void **state)
{
    (void)state;
    struct jb_personal *p = open_people();
    struct jb_owners one = {0}, two = {0}, three = {0};
    struct jb_error err;
    jb_owners_add(&one, JB_OWNER_WALLET, 1);
    jb_owners_add(&two, JB_OWNER_WALLET, 2);
    jb_owners_add(&three, JB_OWNER_WALLET, 3);
    begin(p);
    uint64_t anna = refer(p, "anna", true, NULL), ben = refer(p, "ben", true, NULL);
    uint64_t a = refer(p, "wallet of anna", false, &one);
    uint64_t b = refer(p, "wallet of ben", false, &two);
    uint64_t c = refer(p, "alive", false, &three);
    commit(p);
    uint64_t masters[] = {0, anna, ben, anna};
    const struct jb_rotation r = {
        .owners = 2, .last_master = master_of, .is_deleted = deleted_but_3, .data = masters};
    kill_person(p, anna, 7);
    for (bool done = false; !done;) {
        assert_int_equal(jb_personal_rotate(p, &r, &done, &err), JB_OK);
    }
    assert_string_equal(shown(p, a), "(forgotten)");
    assert_string_equal(shown(p, b), "wallet of ben");
    assert_string_equal(shown(p, c), "alive");
    jb_personal_close(p);
}

#define MANY 300

/* Others write between the steps, with a handle of their own; whoever is killed is followed by one
 * who goes on. */
static void
test_steps(void **state)
{
    (void)state;
    struct jb_personal *p = open_people(), *other = open_people();
    uint64_t refs[MANY], notes[MANY], late[64];
    char text[64];
    struct jb_error err;
    unsigned lates = 0;
    begin(p);
    for (unsigned i = 0; i < MANY; i++) {
        struct jb_owners o = {0};
        snprintf(text, sizeof text, "person-%u", i);
        refs[i] = refer(p, text, true, NULL);
        jb_owners_add(&o, JB_OWNER_PERSON, refs[i]);
        snprintf(text, sizeof text, "note on person-%u", i);
        notes[i] = refer(p, text, false, &o);
    }
    commit(p);
    kill_person(p, refs[17], 50);
    kill_person(p, refs[0], 51);
    kill_person(p, refs[MANY - 1], 52);
    const struct jb_rotation r = {.owners = 23};
    for (bool done = false; !done;) {
        assert_int_equal(jb_personal_rotate(p, &r, &done, &err), JB_OK);
        if (!done && lates < 64) {
            begin(other);
            snprintf(text, sizeof text, "late-%u", lates);
            late[lates++] = refer(other, text, true, NULL);
            assert_int_equal(refer(other, "person-5", true, NULL), refs[5]);
            assert_int_equal(find(other, "person-17"), 0);
            commit(other);
            assert_string_equal(shown(other, notes[299 - 5]), "note on person-294");
            assert_string_equal(shown(other, notes[17]), "(forgotten)");
        }
        jb_personal_close(p); /* as if it had been killed */
        p = open_people();
    }
    assert_true(lates > 5);
    for (unsigned i = 0; i < MANY; i++) {
        bool dead = i == 0 || i == 17 || i == MANY - 1;
        snprintf(text, sizeof text, "person-%u", i);
        assert_string_equal(shown(p, refs[i]), dead ? "(forgotten)" : text);
        assert_int_equal(find(p, text), dead ? 0 : refs[i]);
        assert_int_equal(find(other, text), dead ? 0 : refs[i]);
        snprintf(text, sizeof text, "note on person-%u", i);
        assert_string_equal(shown(other, notes[i]), dead ? "(forgotten)" : text);
    }
    for (unsigned i = 0; i < lates; i++) {
        snprintf(text, sizeof text, "late-%u", i);
        assert_string_equal(shown(p, late[i]), text);
    }
    struct jb_people_info info;
    assert_int_equal(jb_personal_info(p, &info, &err), JB_OK);
    assert_int_equal(info.epoch, 2);
    assert_int_equal(info.old_epoch, 0);
    assert_int_equal(info.done, 52);
    /* The log was put back: what was done belongs to another history. */
    assert_int_equal(jb_personal_begin(p, 0, 40, &err), JB_OK);
    assert_int_equal(jb_personal_info(p, &info, &err), JB_OK);
    assert_int_equal(info.done, 40);
    assert_int_equal(info.killed, 40);
    jb_personal_close(other);
    jb_personal_close(p);
}

/* ---- key files ---- */

static void
copy(const char *from, const char *to)
{
    char command[400];
    snprintf(command, sizeof command, "cp -p %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static void
put(const char *path, const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    assert_int_equal(chmod(path, mode), 0);
}

/* Opens, shows and takes nothing, and says why. */
static void
check_unusable(uint64_t ref, const char *why)
{
    struct jb_personal *p = open_people();
    struct jb_error err = {0};
    jb_status status = jb_personal_begin(p, 0, 100, &err);
    if (status != JB_E_KEY || strstr(err.text, why) == NULL) {
        print_error("%s: %d \"%s\"\n", why, (int)status, err.text);
    }
    assert_int_equal(status, JB_E_KEY);
    assert_non_null(strstr(err.text, why));
    assert_string_equal(shown(p, ref), "(sealed)");
    struct jb_people_count count;
    assert_int_equal(jb_personal_count(p, &count, &err), JB_OK);
    assert_true(count.sealed);
    jb_personal_close(p);
}

static void
test_key_files(void **state)
{
    (void)state;
    char kept[160], line[512] = {0}, half[512], other[2 * 512];
    struct jb_error err;
    struct jb_personal *p = open_people();
    begin(p);
    uint64_t ref = refer(p, "anna", true, NULL);
    commit(p);
    jb_personal_close(p);
    snprintf(kept, sizeof kept, "%s/kept", scratch);
    copy(key_path, kept);
    int fd = open(kept, O_RDONLY);
    assert_true(read(fd, line, sizeof line - 1) > 80);
    close(fd);
    unlink(key_path);
    check_unusable(ref, "there is no key file");
    static const mode_t modes[] = {0644, 0640, 0604, 0660, 0610};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        put(key_path, line, modes[i]);
        check_unusable(ref, "can be used by others");
    }
    for (size_t n = 0; n < strlen(line); n++) {
        snprintf(half, sizeof half, "%.*s", (int)n, line);
        put(key_path, half, 0600);
        check_unusable(ref, n == 0 ? "has no key" : "damaged");
    }
    snprintf(other, sizeof other, "%s", line);
    other[strlen("jangbu-key-1 ") + 3] ^= 1;
    put(key_path, other, 0600);
    check_unusable(ref, "another ledger");
    snprintf(other, sizeof other, "%s", line);
    other[strlen(line) - 10] = other[strlen(line) - 10] == 'A' ? 'B' : 'A';
    put(key_path, other, 0600);
    check_unusable(ref, "another key");
    snprintf(other, sizeof other, "%s%s", line, line);
    put(key_path, other, 0600);
    check_unusable(ref, "do not belong together");
    unlink(key_path);
    assert_int_equal(mkdir(key_path, 0700), 0);
    check_unusable(ref, "is no file");
    assert_int_equal(rmdir(key_path), 0);
    /* Inside of the ledger, also by way of a link. */
    char inside[160];
    snprintf(inside, sizeof inside, "%s/key", ledger);
    copy(kept, inside);
    assert_int_equal(jb_personal_open(ledger, ledger_id, inside, false, false, &p, &err), JB_OK);
    assert_int_equal(jb_personal_begin(p, 0, 100, &err), JB_E_KEY);
    assert_non_null(strstr(err.text, "inside of the ledger"));
    jb_personal_close(p);
    /* For reading only: texts may be written, the key is not changed. */
    put(key_path, line, 0400);
    p = open_people();
    begin(p);
    assert_string_equal(shown(p, ref), "anna");
    if (geteuid() != 0) {
        assert_int_equal(jb_personal_may_rotate(p, &err), JB_E_KEY);
    }
    jb_personal_close(p);
    assert_int_equal(jb_personal_open(ledger, ledger_id, kept, false, false, &p, &err), JB_OK);
    begin(p);
    assert_string_equal(shown(p, ref), "anna");
    /* Changed by a program with another key file: this one's is no longer any use. */
    struct jb_personal *q = open_people();
    rotate(q, 0);
    assert_int_equal(jb_personal_begin(p, 0, 100, &err), JB_E_KEY);
    assert_non_null(strstr(err.text, "lies elsewhere"));
    assert_string_equal(shown(p, ref), "(sealed)");
    assert_string_equal(shown(q, ref), "anna");
    jb_personal_close(q);
    jb_personal_close(p);
    /* And an old people.mdb with the new key. */
    char old[160];
    snprintf(old, sizeof old, "%s/old.mdb", scratch);
    copy(people_path, old);
    p = open_people();
    rotate(p, 0);
    jb_personal_close(p);
    copy(old, people_path);
    check_unusable(ref, "an old copy");
}

/* Wherever a forgetting is cut: by the files as each step left them, in every mixture that a crash
 * can leave. */
static void
test_cut(void **state)
{
    (void)state;
    char before[160], saved[160], made[160];
    struct jb_error err;
    struct jb_personal *p = open_people();
    begin(p);
    uint64_t anna = refer(p, "anna", true, NULL), ben = refer(p, "ben", true, NULL);
    commit(p);
    kill_person(p, anna, 9);
    jb_personal_close(p);
    snprintf(before, sizeof before, "%s/before.key", scratch);
    snprintf(saved, sizeof saved, "%s/saved.mdb", scratch);
    snprintf(made, sizeof made, "%s.new", key_path);
    copy(people_path, saved);
    copy(key_path, before);
    /* The second line is there, people.mdb knows nothing of it; and half of a FILE.new. */
    struct jb_key_file file;
    assert_int_equal(jb_key_file_read(key_path, ledger, ledger_id, &file, &err), JB_OK);
    file.n = 2;
    jb_key_make(2, &file.keys[1]);
    assert_int_equal(jb_key_file_replace(key_path, ledger_id, &file, &err), JB_OK);
    put(made, "jangbu-key-1 01", 0644);
    p = open_people();
    begin(p);
    assert_string_equal(shown(p, ben), "ben");
    rotate(p, 1);
    assert_string_equal(shown(p, ben), "ben");
    assert_string_equal(shown(p, anna), "(forgotten)");
    struct jb_key_file after;
    assert_int_equal(jb_key_file_read(key_path, ledger, ledger_id, &after, &err), JB_OK);
    assert_int_equal(after.n, 1);
    assert_memory_equal(after.keys[0].key, file.keys[1].key, JB_KEY_BYTES);
    jb_personal_close(p);
    /* The old line is away, and people.mdb not at its end: nothing can go on without it. */
    copy(saved, people_path);
    copy(before, key_path);
    p = open_people();
    bool done = false;
    assert_int_equal(jb_personal_rotate(p, &(struct jb_rotation){.owners = 1}, &done, &err), JB_OK);
    assert_false(done);
    jb_personal_close(p);
    assert_int_equal(jb_key_file_read(key_path, ledger, ledger_id, &after, &err), JB_OK);
    after.keys[0] = after.keys[1];
    after.n = 1;
    assert_int_equal(jb_key_file_replace(key_path, ledger_id, &after, &err), JB_OK);
    p = open_people();
    assert_int_equal(jb_personal_rotate(p, &(struct jb_rotation){.owners = 1}, &done, &err),
                     JB_E_KEY);
    assert_non_null(strstr(err.text, "lost key 1"));
    jb_personal_close(p);
}

static int64_t
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

/* So many owners, two thirds people: what forgetting one of them takes, and the longest step, in
 * which nobody else writes. */
static void
measure(unsigned owners)
{
    struct jb_personal *p = open_people();
    struct jb_error err;
    char text[64];
    uint64_t first = 0;
    for (unsigned i = 0; i < owners;) {
        begin(p);
        for (unsigned k = 0; k < 8192 && i < owners; k++, i++) {
            struct jb_owners o = {0};
            jb_owners_add(&o, JB_OWNER_WALLET, i + 1);
            snprintf(text, sizeof text, "person-%u@example.org", i);
            uint64_t ref = i % 3 == 0 ? refer(p, text, false, &o) : refer(p, text, true, NULL);
            first = i == 1 ? ref : first;
        }
        commit(p);
    }
    kill_person(p, first, 1);
    int64_t began = jb_monotonic_us(), longest = 0, cpu = cpu_us();
    const struct jb_rotation r = {0};
    unsigned steps = 0;
    for (bool done = false; !done; steps++) {
        int64_t from = jb_monotonic_us();
        assert_int_equal(jb_personal_rotate(p, &r, &done, &err), JB_OK);
        int64_t took = jb_monotonic_us() - from;
        longest = took > longest ? took : longest;
    }
    int64_t all = jb_monotonic_us() - began;
    cpu = cpu_us() - cpu;
    assert_int_equal(find(p, "person-1@example.org"), 0);
    assert_true(find(p, "person-2@example.org") != 0);
    printf(
        "%u owners: forgotten in %lld ms (%lld ms of processor time), %u steps, the longest %lld "
        "ms\n",
        owners, (long long)all / 1000, (long long)cpu / 1000, steps, (long long)longest / 1000);
    jb_personal_close(p);
}

int
main(int argc, char **argv)
{
    if (argc > 1) {
        unsigned owners = (unsigned)strtoul(argv[1], NULL, 10);
        void *state = NULL;
        begin_ledger(&state);
        measure(owners);
        return end_ledger(&state);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_texts, begin_ledger, end_ledger),
        cmocka_unit_test_setup_teardown(test_came_back, begin_ledger, end_ledger),
        cmocka_unit_test_setup_teardown(test_wallets_follow, begin_ledger, end_ledger),
        cmocka_unit_test_setup_teardown(test_steps, begin_ledger, end_ledger),
        cmocka_unit_test_setup_teardown(test_key_files, begin_ledger, end_ledger),
        cmocka_unit_test_setup_teardown(test_cut, begin_ledger, end_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
