#ifndef PERCEPTION_FILE_MAPPING_H
#define PERCEPTION_FILE_MAPPING_H

#include <stddef.h>

/*
 * Files mapped into memory that somebody else may shorten at any moment.
 *
 * Touching a page behind a file's end raises SIGBUS, which by default kills the process. Here the rest of the mapping is
 * replaced by zeros, the mapping is marked as damaged, and the reader goes on; whoever used it asks for the mark before
 * believing what was read. The same happens when the file system has no page left to back a hole.
 */

typedef struct file_mapping file_mapping;

/* Maps `length` > 0 bytes of a file from its start, shared. NULL with errno set when the system refuses. */
file_mapping *file_mapping_map(int descriptor, size_t length, int writable);

void *file_mapping_start(const file_mapping *mapping);

/* Whether any of it was missing when touched. */
int file_mapping_is_damaged(const file_mapping *mapping);

void file_mapping_unmap(file_mapping *mapping);

/// Whether the open file lies in a tmpfs or ramfs, where what is read of its holes becomes memory that stays: 1 or 0, or
/// -1 with the error in errno.
int file_mapping_lies_in_memory(int descriptor);

#endif
