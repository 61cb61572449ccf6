#include <sys/mman.h>
#include <unistd.h>

#include "report.h"

uint8_t *file_room(image_codecs_file *file, size_t count) {
    return count > file->capacity - file->count ? NULL : file->bytes + file->count;
}

void image_codecs_give_back(const image_codecs_file *file) {
    /* Below that it isn't worth a system call. */
    enum { least = 256 << 10 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = ((uintptr_t)file->bytes + file->count + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)file->bytes + file->capacity) / page * page;
    if (file->bytes && end > start && end - start >= least) (void)madvise((void *)start, end - start, MADV_DONTNEED);
}
