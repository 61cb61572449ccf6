#ifndef PERCEPTION_FILE_MAPPING_H
#define PERCEPTION_FILE_MAPPING_H

#include <stddef.h>

/*
 * Files mapped into memory that other processes may truncate at any moment.
 *
 * Reading a page after a file's end raises SIGBUS, which by default kills the process. Here the rest of the mapping is
 * replaced with zeros, the mapping is marked as damaged, and the reader continues. Check the mark before using what was
 * read. The same happens if the file system has no page left to back a hole.
 */

typedef struct file_mapping file_mapping;

/* Maps the first `length` > 0 bytes of a file, shared. Returns NULL with errno set if the system refuses. */
file_mapping *file_mapping_map(int descriptor, size_t length, int writable);

void *file_mapping_start(const file_mapping *mapping);

/* Whether any of it was missing when it was read. */
int file_mapping_is_damaged(const file_mapping *mapping);

void file_mapping_unmap(file_mapping *mapping);

/// Returns whether the open file is in a tmpfs or ramfs, where reading a hole allocates memory permanently: 1 or 0, or -1
/// with the error in errno.
int file_mapping_lies_in_memory(int descriptor);

#endif
