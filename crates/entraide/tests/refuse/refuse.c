/* A disk that refuses: preloaded before the real binary, it counts every call that changes a file below one directory,
   and from a given call on lets them fail. `mod.rs` builds it and says what for; nothing of it is in the program.

   REFUSE_DIR    the directory, as it is named by the calls
   REFUSE_FROM   the number of the first call that fails, from 1; 0 lets all pass and only counts
   REFUSE_HOW    `full`: no space from then on, and what has room (removing, naming anew) goes on;
                 `short`: the same, and the first write is done by half; `once`: one call fails with an I/O error;
                 `dead`: every call fails with an I/O error from then on
   REFUSE_COUNT  a file outside the directory, into which the number of calls is written at the end */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* What a call needs of a disk. */
enum need { WRITES, SYNCS, GROWS, NAMES };

static atomic_long calls;

static const char *word(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static int is_below(const char *path) {
    const char *dir = word("REFUSE_DIR");
    size_t length = strlen(dir);
    return length > 0 && path && strncmp(path, dir, length) == 0;
}

static int is_below_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* 0: it passes. 1: it fails, and errno says how. 2: half of it is done. */
static int refuses(enum need need) {
    long number = atomic_fetch_add(&calls, 1) + 1;
    long from = atol(word("REFUSE_FROM"));
    const char *how = word("REFUSE_HOW");
    if (from == 0 || number < from) return 0;
    if (strcmp(how, "once") == 0) {
        if (number > from) return 0;
        errno = EIO;
        return 1;
    }
    if (strcmp(how, "dead") == 0) {
        errno = EIO;
        return 1;
    }
    if (need == NAMES || need == SYNCS) return 0;
    if (strcmp(how, "short") == 0 && number == from && need == WRITES) return 2;
    errno = ENOSPC;
    return 1;
}

/* What was told is not part of what is tried: it is written when everything else is over. */
__attribute__((destructor)) static void tell(void) {
    const char *path = word("REFUSE_COUNT");
    if (!*path) return;
    FILE *file = fopen(path, "w");
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}

#define HALF(size) ((size) > 1 ? (size) / 2 : (size))

ssize_t write(int fd, const void *bytes, size_t size) {
    int fate = is_below_fd(fd) ? refuses(WRITES) : 0;
    if (fate == 1) return -1;
    return REAL(write)(fd, bytes, fate == 2 ? HALF(size) : size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    int fate = is_below_fd(fd) ? refuses(WRITES) : 0;
    if (fate == 1) return -1;
    return REAL(writev)(fd, parts, fate == 2 ? HALF(count) : count);
}

#define PWRITE(name, offset_type)                                                   \
    ssize_t name(int fd, const void *bytes, size_t size, offset_type at) {          \
        int fate = is_below_fd(fd) ? refuses(WRITES) : 0;                           \
        if (fate == 1) return -1;                                                   \
        return REAL(name)(fd, bytes, fate == 2 ? HALF(size) : size, at);            \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_FD(name, need)                                  \
    int name(int fd) {                                     \
        if (is_below_fd(fd) && refuses(need)) return -1;   \
        return REAL(name)(fd);                             \
    }
ON_FD(fsync, SYNCS)
ON_FD(fdatasync, SYNCS)

#define SET_LENGTH(name, offset_type)                      \
    int name(int fd, offset_type length) {                 \
        if (is_below_fd(fd) && refuses(GROWS)) return -1;  \
        return REAL(name)(fd, length);                     \
    }
SET_LENGTH(ftruncate, off_t)
SET_LENGTH(ftruncate64, off64_t)

/* Opening counts where it may make a file. */
#define OPEN(name)                                                                  \
    int name(const char *path, int flags, ...) {                                    \
        va_list rest;                                                               \
        va_start(rest, flags);                                                      \
        mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;                 \
        va_end(rest);                                                               \
        if ((flags & O_CREAT) && is_below(path) && refuses(GROWS)) return -1;       \
        return REAL(name)(path, flags, mode);                                       \
    }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) {
    if (is_below(path) && refuses(GROWS)) return -1;
    return REAL(mkdir)(path, mode);
}

int rename(const char *from, const char *to) {
    if (is_below(to) && refuses(NAMES)) return -1;
    return REAL(rename)(from, to);
}

int unlink(const char *path) {
    if (is_below(path) && refuses(NAMES)) return -1;
    return REAL(unlink)(path);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    if (is_below(to) && refuses(GROWS)) return -1;
    return REAL(linkat)(from_dir, from, to_dir, to, flags);
}
