/*
 * fuzz_name.c - names that clients choose: whatever comes, what goes to the disk is a plain file name.
 */
#include "base/arena.h"
#include "base/text.h"
#include "fuzz.h"
#include "model/name.h"

static void plain(const char *s)
{
	size_t n = strlen(s);
	MUST(n > 0 && n <= DISK_NAME_MAX);
	MUST(s[0] != '.' && s[0] != ' ' && s[n - 1] != ' ');
	MUST(!strpbrk(s, "/\\"));
	for (size_t i = 0; i < n; i++)
		MUST((unsigned char)s[i] >= 0x20 && s[i] != 0x7f);
	MUST(n < 10 || strcmp(s + n - 10, ".meta.json") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_open(16 << 20);
	char *s = fuzz_text(p, n < 5000 ? n : 5000);
	MUST(a);
	const char *disk = name_disk(a, s);
	MUST(disk);
	plain(disk);
	MUST(strcmp(name_disk(a, disk), disk) == 0);
	for (int i = 2; i < 100000; i *= 40) {
		const char *numbered = name_numbered(a, disk, i);
		MUST(numbered);
		plain(numbered);
		MUST(strcmp(numbered, name_numbered(a, disk, i + 1)) != 0);
	}
	MUST(!strstr(name_media_type(disk), "html") && !strstr(name_media_type(disk), "svg"));
	MUST(name_recording(a, s, s));
	if (name_session_id(s, false)) {
		MUST(strlen(s) <= SESSION_ID_MAX && s[0] != '_' && s[0] != '.' && !strstr(s, "..") && !strpbrk(s, "/\\%\n"));
		MUST(!name_upload_id(s));
	}
	if (name_session_id(s, true))
		MUST(strlen(s) == 36 && name_session_id(s, false));
	arena_close(a);
	free(s);
	return 0;
}
