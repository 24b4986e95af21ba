/*
 * proto_ext.c - the table of tus extensions.
 */
#include "proto/proto_ext.h"

#include "base/text.h"

/* TUS_EXTENSIONS_OFF names it. */
static bool off(const struct config *cfg, const char *name)
{
	const struct config_list *list = &cfg->extensions_off;
	for (int i = 0; i < list->n; i++)
		if (list->any || text_eq(list->v[i], name))
			return true;
	return false;
}

/* The protocol is not usable without the first; and uploads expire, whether that is announced or not. */
static const struct {
	const char *name;
	bool switchable;
	enum tus_ext of;            /* off with this one; else itself */
} exts[EXT__MAX] = {
	[EXT_CREATION] = {"creation", false, EXT_CREATION},
	[EXT_CREATION_WITH_UPLOAD] = {"creation-with-upload", true, EXT_CREATION_WITH_UPLOAD},
	[EXT_CREATION_DEFER_LENGTH] = {"creation-defer-length", true, EXT_CREATION_DEFER_LENGTH},
	[EXT_EXPIRATION] = {"expiration", false, EXT_EXPIRATION},
	[EXT_TERMINATION] = {"termination", true, EXT_TERMINATION},
	[EXT_CHECKSUM] = {"checksum", true, EXT_CHECKSUM},
	[EXT_CONCATENATION] = {"concatenation", true, EXT_CONCATENATION},
	[EXT_CONCATENATION_UNFINISHED] = {"concatenation-unfinished", true, EXT_CONCATENATION},
};

bool ext_on(const struct config *cfg, enum tus_ext x)
{
	return !exts[x].switchable || (!off(cfg, exts[x].name) && !off(cfg, exts[exts[x].of].name));
}

const char *ext_name(enum tus_ext x)
{
	return exts[x].name;
}

const char *ext_names(struct arena *a, const struct config *cfg)
{
	const char *all = "";
	for (int x = 0; all && x < EXT__MAX; x++)
		if (ext_on(cfg, (enum tus_ext)x))
			all = arena_printf(a, "%s%s%s", all, *all ? "," : "", exts[x].name);
	return all;
}
