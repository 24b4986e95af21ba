/*
 * name.c - grammars of names: what may be an id, a file on disk, a media type, a metadata pair.
 *
 * Ids are checked and refused; display names are free text of a person, so they are changed until they fit.
 */
#include "model/name.h"

#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "base/text.h"

#define EXT_MAX 16

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool is_uuid(const char *s)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	for (size_t i = 0; i < sizeof shape - 1; i++)
		if (shape[i] == 'x' ? !is_hex(s[i]) : s[i] != shape[i])
			return false;
	return s[sizeof shape - 1] == '\0';
}

bool name_session_id(const char *s, bool uuid)
{
	if (!s || !is_alnum(s[0]))
		return false;
	if (uuid)
		return is_uuid(s);
	size_t n = 0;
	for (; s[n]; n++)
		if (n == SESSION_ID_MAX || !(is_alnum(s[n]) || strchr("._-", s[n])) || (s[n] == '.' && s[n + 1] == '.'))
			return false;
	return true;
}

bool name_upload_id(const char *s)
{
	if (!s || s[0] != '_')
		return false;
	size_t n = 1;
	while (n < 23 && (is_alnum(s[n]) || s[n] == '_' || s[n] == '-'))
		n++;
	return n == 23 && s[n] == '\0';
}

void name_upload_id_make(const unsigned char random[16], char out[24])
{
	out[0] = '_';
	b64url_encode(random, 16, out + 1);
}

/* Length and value of the UTF-8 character at s, of which n bytes are there; 0 if it is none. */
static size_t utf8_char(const char *s, size_t n, uint32_t *cp)
{
	unsigned char c = (unsigned char)*s;
	size_t len = text_utf8_len(s, n);
	*cp = len < 2 ? c : c & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
		*cp = *cp << 6 | ((unsigned char)s[i] & 0x3f);
	return len;
}

/* Characters that cannot stand in a file name, or that make one look like another in a listing (line and direction controls). */
static bool unfit(uint32_t cp)
{
	static const struct { uint32_t first, last; } bad[] = {
		{ 0x00, 0x1f }, { '/', '/' }, { '\\', '\\' }, { 0x7f, 0x9f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (cp >= bad[i].first && cp <= bad[i].last)
			return true;
	return false;
}

/* Where the extension with its dot begins; n if there is none. Only short plain ones count, so that "No. 5 in C minor" has none. */
static size_t ext_start(const char *s, size_t n)
{
	size_t i = n;
	while (i > 0 && n - i <= EXT_MAX && (is_alnum(s[i - 1]) || s[i - 1] == '_'))
		i--;
	bool ext = i > 1 && i < n && n - i <= EXT_MAX && s[i - 1] == '.';
	return ext ? i - 1 : n;
}

/* The longest beginning of s that has at most max bytes and no broken character. */
static size_t utf8_cut(const char *s, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static size_t trim_end(const char *s, size_t n)
{
	while (n > 0 && s[n - 1] == ' ')
		n--;
	return n;
}

/* Replaces what is unfit, in place (nothing grows); returns the new length. */
static size_t clean(char *s, size_t n)
{
	size_t out = 0;
	for (size_t i = 0; i < n; ) {
		uint32_t cp;
		size_t len = utf8_char(s + i, n - i, &cp);
		if (len == 0 || unfit(cp)) {
			s[out++] = '_';
			i += len ? len : 1;
			continue;
		}
		memmove(s + out, s + i, len);
		out += len;
		i += len;
	}
	return trim_end(s, out);
}

/* "x.meta.json" is the note beside "x", so no recording may be called that. */
static bool is_note(const char *s, size_t n)
{
	static const char note[] = ".meta.json";
	return n >= sizeof note - 1 && text_eq_nocase(s + n - (sizeof note - 1), note);
}

const char *name_disk(struct arena *a, const char *display)
{
	/* Leading blanks go with the dots, or " .x" would end as ".x" in the hands of the next program that trims. */
	const char *from = display ? display + strspn(display, ". ") : "";
	size_t n = strlen(from);
	char *s = arena_alloc(a, n + 2);
	if (!s)
		return NULL;
	memcpy(s, from, n);
	n = clean(s, n);
	if (n > DISK_NAME_MAX) {
		size_t ext = ext_start(s, n), keep = n - ext;
		size_t stem = utf8_cut(s, ext, DISK_NAME_MAX - keep);
		memmove(s + stem, s + ext, keep);
		n = trim_end(s, stem + keep);
	}
	s[n] = '\0';
	if (is_note(s, n)) {
		n = n < DISK_NAME_MAX ? n + 1 : n;
		s[n - 1] = '_';
		s[n] = '\0';
	}
	return n > 0 ? s : "unnamed";
}

const char *name_numbered(struct arena *a, const char *disk, int number)
{
	char tag[16];
	size_t n = strlen(disk), ext = ext_start(disk, n);
	size_t tagged = (size_t)snprintf(tag, sizeof tag, " (%d)", number);
	size_t stem = utf8_cut(disk, ext, DISK_NAME_MAX - tagged - (n - ext));
	return arena_printf(a, "%.*s%s%s", (int)stem, disk, tag, disk + ext);
}

const char *name_tagged(struct arena *a, const char *name, const char *tag)
{
	size_t taken = strlen(tag) + 1 + EXT_MAX;
	size_t stem = utf8_cut(name, strlen(name), DISK_NAME_MAX > taken ? DISK_NAME_MAX - taken : 0);
	return arena_printf(a, "%.*s%s", (int)stem, name, tag);
}

const char *name_recording(struct arena *a, const char *name, const char *ext)
{
	if (!name)
		name = "";
	while (ext && *ext == '.')
		ext++;
	return ext && *ext ? arena_printf(a, "%s.%s", name, ext) : arena_strdup(a, name);
}

/* What a browser shows or plays, never what it runs: HTML, SVG, XML and scripts are octets here. */
static const struct { const char *ext, *type; } media_types[] = {
	{ "webm", "audio/webm" }, { "wav", "audio/wav" }, { "mp3", "audio/mpeg" }, { "ogg", "audio/ogg" }, { "oga", "audio/ogg" },
	{ "opus", "audio/ogg" }, { "m4a", "audio/mp4" }, { "mp4", "video/mp4" }, { "flac", "audio/flac" }, { "aac", "audio/aac" },
	{ "png", "image/png" }, { "jpg", "image/jpeg" }, { "jpeg", "image/jpeg" }, { "gif", "image/gif" }, { "webp", "image/webp" },
	{ "pdf", "application/pdf" }, { "txt", "text/plain; charset=utf-8" }, { "zip", "application/zip" }, { "json", "application/json" },
};

const char *name_media_type(const char *disk)
{
	const char *dot = disk ? strrchr(disk, '.') : NULL;
	for (size_t i = 0; dot && i < sizeof media_types / sizeof *media_types; i++)
		if (text_eq_nocase(dot + 1, media_types[i].ext))
			return media_types[i].type;
	return "application/octet-stream";
}

/* Length of the key at p: up to the blank. *why is set if it is none (check 70; control characters would reach headers and logs). */
static size_t meta_key(const char *p, size_t n, const char **why)
{
	size_t key = 0;
	for (; key < n && p[key] != ' '; key++)
		if (p[key] < 0x21 || p[key] > 0x7e)
			*why = "Upload-Metadata: a key is not printable ASCII";
	if (key == 0)
		*why = "Upload-Metadata: a key is empty";
	return key;
}

/* One pair, the n bytes at p. The value may be absent, with or without the blank before it (check 72). */
static enum err meta_pair_parse(struct arena *a, const char *p, size_t n, struct meta_pair *out, const char **why)
{
	size_t key = meta_key(p, n, why);
	if (*why)
		return ERR_INVALID;
	size_t value = key < n ? key + 1 : n;
	char *bytes = arena_alloc(a, B64_DECODED(n - value) + 1);
	out->key = arena_strndup(a, p, key);
	out->value = bytes;
	if (!bytes || !out->key)
		return ERR_NOMEM;
	if (!b64_decode(p + value, n - value, bytes, &out->len)) {
		*why = "Upload-Metadata: a value is not Base64";
		return ERR_INVALID;
	}
	bytes[out->len] = '\0';
	return ERR_OK;
}

static bool meta_has(const struct meta *m, const char *key)
{
	for (int i = 0; i < m->n; i++)
		if (strcmp(m->pair[i].key, key) == 0)
			return true;
	return false;
}

/* Number of commas + 1, at most META_PAIRS_MAX + 1. */
static int count_pairs(const char *text)
{
	int n = 1;
	for (; n <= META_PAIRS_MAX && (text = strchr(text, ',')); text++)
		n++;
	return n;
}

enum err meta_parse(struct arena *a, const char *text, struct meta *out, const char **why)
{
	*out = (struct meta){ NULL, 0 };
	*why = NULL;
	if (!text || text[strspn(text, " \t")] == '\0')
		return ERR_OK;
	int most = count_pairs(text);
	if (most > META_PAIRS_MAX) {
		*why = "Upload-Metadata: too many pairs";
		return ERR_INVALID;
	}
	out->pair = arena_alloc(a, (size_t)most * sizeof *out->pair);
	if (!out->pair)
		return ERR_NOMEM;
	for (const char *p = text; p; ) {
		p += strspn(p, " \t");
		size_t n = strcspn(p, ",");
		struct meta_pair *pair = &out->pair[out->n];
		enum err e = meta_pair_parse(a, p, n, pair, why);
		if (e)
			return e;
		if (meta_has(out, pair->key)) {
			*why = "Upload-Metadata: a key is there twice";
			return ERR_INVALID;
		}
		out->n++;
		p = p[n] == ',' ? p + n + 1 : NULL;
	}
	return ERR_OK;
}

const char *meta_get(const struct meta *m, const char *key)
{
	for (int i = 0; i < m->n; i++)
		if (strcmp(m->pair[i].key, key) == 0)
			return memchr(m->pair[i].value, '\0', m->pair[i].len) ? NULL : m->pair[i].value;
	return NULL;
}
