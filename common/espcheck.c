/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/espcheck.h"

#include "common/mem.h"

/* A path or a part of one. */
struct part {
	const char *at;
	size_t n;
};

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool starts(struct part p, const char *with, size_t n)
{
	if (p.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (upper(p.at[i]) != upper(with[i]))
			return false;
	return true;
}

static size_t chars(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool starts_str(struct part p, const char *with)
{
	return starts(p, with, chars(with));
}

static bool ends_str(struct part p, const char *with)
{
	size_t n = chars(with);

	return p.n >= n && starts_str((struct part){p.at + p.n - n, n}, with);
}

static bool is_str(struct part p, const char *s)
{
	return p.n == chars(s) && starts_str(p, s);
}

/* Up to its last backslash, that one too. */
static struct part folder(struct part path)
{
	while (path.n > 0 && path.at[path.n - 1] != '\\')
		path.n--;
	return path;
}

static struct part name(struct part path)
{
	size_t n = folder(path).n;

	return (struct part){path.at + n, path.n - n};
}

/*
 * What loaders and firmware write by themselves, some in place, without a new time:
 * GRUB's environment, systemd-boot's seed, what Windows keeps of its boots.
 */
static bool is_written_at_boot(struct part path)
{
	static const char *const names[] = {"grubenv", "random-seed", "bootstat.dat", "BCD",
					    "BCD.LOG", "BCD.LOG1",    "BCD.LOG2"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_str(name(path), names[i]))
			return true;
	return false;
}

/* We run already; and the fallback loaders of other firmware are nobody's helpers. */
static bool is_not_needed(struct part path)
{
	return starts_str(path, "\\EFI\\mirrorboot\\") ||
	       (is_str(folder(path), "\\EFI\\BOOT\\") && starts_str(name(path), "BOOT") &&
		ends_str(path, ".EFI"));
}

/* "linux+3.conf": systemd-boot gives the file another name with each try of it. */
static bool has_counter(struct part path)
{
	struct part n = name(path);

	for (size_t i = 0; i < n.n; i++)
		if (n.at[i] == '+')
			return true;
	return false;
}

enum espcheck espcheck_file(uint8_t verify, const char *path, size_t path_bytes, const char *loader,
			    size_t loader_bytes)
{
	struct part p = {path, path_bytes}, l = {loader, loader_bytes};
	struct part home = folder(l);

	if (verify == CONFIG_VERIFY_NO)
		return ESPCHECK_NO;
	if (p.n == l.n && starts(p, l.at, l.n))
		return ESPCHECK_MUST;
	if (is_written_at_boot(p) || is_not_needed(p))
		return ESPCHECK_NO;
	/* In the root folder, only what lies beside it: all else is below. */
	if (starts(p, home.at, home.n) && (home.n > 1 || folder(p).n == home.n))
		return ESPCHECK_MUST;
	/* systemd-boot's; entries come and go with kernels. */
	if (is_str(folder(p), "\\loader\\") && ends_str(p, ".conf"))
		return ESPCHECK_MUST;
	if (has_counter(p))
		return ESPCHECK_NO;
	if (is_str(folder(p), "\\loader\\entries\\"))
		return ESPCHECK_IF_THERE;
	return verify == CONFIG_VERIFY_ALL ? ESPCHECK_IF_THERE : ESPCHECK_NO;
}

uint32_t espcheck_fat_time(unsigned year, unsigned month, unsigned day, unsigned hour,
			   unsigned minute, unsigned second)
{
	if (year < 1980 || year > 2107 || month > 15 || day > 31 || hour > 31 || minute > 63 ||
	    second > 63)
		return 0;
	return (uint32_t)(year - 1980) << 25 | month << 21 | day << 16 | hour << 11 | minute << 5 |
	       second >> 1;
}
