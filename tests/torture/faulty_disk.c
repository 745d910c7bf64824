/* Preloaded by the torture tests: the nth write or sync of a store's files fails, with EIO and ENOSPC in turn. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int wanted[2], calls[2]; /* 0: writes, 1: syncs */

void chordae_fail(int kind, int n) { wanted[kind] = n; }

static int of_a_store(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return strstr(path, "chordae.sqlite") != NULL;
}

static int fails(int kind, int fd) {
    if (!wanted[kind] || !of_a_store(fd) || ++calls[kind] != wanted[kind]) return 0;
    errno = wanted[kind] % 2 ? EIO : ENOSPC;
    return 1;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
    return fails(0, fd) ? -1 : real(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite64");
    return fails(0, fd) ? -1 : real(fd, data, n, at);
}

ssize_t write(int fd, const void *data, size_t n) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return fails(0, fd) ? -1 : real(fd, data, n);
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return fails(1, fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    return fails(1, fd) ? -1 : real(fd);
}
