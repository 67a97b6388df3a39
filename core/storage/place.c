#include "storage/place.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The magic numbers of statfs(2), as the kernel and the file systems' own sources have them. */
struct kind {
    unsigned long magic;
    const char *text; /* its name, or a warning */
};

/* Always on several machines. */
static const struct kind refused[] = {
    {0x6969, "NFS"},          {0xff534d42, "CIFS"},   {0xfe534d42, "SMB2"},
    {0x517b, "SMB"},          {0x564c, "NCP"},        {0x5346414f, "AFS"},
    {0x6b414653, "kAFS"},     {0x73757245, "Coda"},   {0x01021997, "9P"},
    {0x00c36400, "CephFS"},   {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},
    {0x19830326, "BeeGFS"},   {0x7461636f, "OCFS2"},  {0x01161970, "GFS2"},
    {0x20030528, "OrangeFS"}, {0xaad7aaea, "PanFS"},  {0xbeefdead, "StorNext"},
    {0x61636673, "ACFS"},     {0x013111a8, "IBRIX"},  {0x7c7c6673, "Parallels shared folders"},
    {0xbacbacbc, "vmhgfs"},
};

/* On one machine or on several: the number does not say. */
static const struct kind doubtful[] = {
    {0x65735546, "the file system of the ledger may be one of a network: it is made by a FUSE "
                 "program (sshfs, s3fs, GlusterFS and others are). LMDB's locks hold on one "
                 "machine only: use it from one machine, or put the ledger on a local disk"},
    {0x786f4256, "the ledger lies in a shared folder of VirtualBox (vboxsf), where LMDB's locks "
                 "may not hold against programs of the host. Put the ledger on a disk of the "
                 "machine itself"},
    {0x53464846, "the file system of the ledger is made by WSL 1, where LMDB's locks and map may "
                 "not hold. Put the ledger on a disk of Linux itself"},
};

static unsigned long
magic_of(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 ? (unsigned long)fs.f_type & 0xffffffffUL : 0;
}

jb_status
jb_place_check(const char *path, const char **ret_warning, struct jb_error *err)
{
    const char *warning = NULL;
    unsigned long magic = magic_of(path);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (refused[i].magic == magic) {
            return jb_fail(err, JB_E_IO,
                           "%s is on a network or cluster file system (%s), where LMDB's locks do "
                           "not hold. Put the ledger on a local disk",
                           path, refused[i].text);
        }
    }
    for (size_t i = 0; i < sizeof doubtful / sizeof doubtful[0]; i++) {
        warning = doubtful[i].magic == magic ? doubtful[i].text : warning;
    }
    if (ret_warning != NULL) {
        *ret_warning = warning;
    }
    return JB_OK;
}

char *
jb_place_absolute(const char *path)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *ret = NULL;
    if (cwd == NULL) {
        return strdup(path); /* a directory without a name is left by nobody but who knows it */
    }
    if (asprintf(&ret, "%s/%s", cwd, path) < 0) {
        ret = NULL;
    }
    free(cwd);
    return ret;
}

bool
jb_place_is_overlay(const char *path)
{
    return magic_of(path) == 0x794c7630UL;
}
