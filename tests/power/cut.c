/*
 * cut.c - what a power cut does to an ext4 file system: from now on nothing is written any more, and what the journal holds in memory is lost.
 *
 *   cut MOUNTPOINT    as root; exit 1 if the kernel cannot (EXT4_IOC_SHUTDOWN, linux/ext4.h)
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2

int main(int argc, char **argv)
{
	uint32_t how = NO_LOG_FLUSH;
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	if (fd < 0 || ioctl(fd, IOC_SHUTDOWN, &how) != 0) {
		perror("cut");
		return 1;
	}
	return 0;
}
