/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/*
 * What is wrong with a disk, told without starting it: what verify finds, whether there is
 * a loader to go on to, and its legs. A boot with all disks there hides it.
 */
#include "tools/drill.h"
#include "tools/say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct drill_finding *__attribute__((format(printf, 4, 5)))
add(struct drill *d, unsigned disk, unsigned firmware, const char *fmt, ...)
{
	struct drill_finding *f;
	va_list ap;

	d->finding = realloc(d->finding, (d->finding_count + 1) * sizeof(*d->finding));
	if (!d->finding)
		abort();
	f = &d->finding[d->finding_count++];
	*f = (struct drill_finding){.disk = disk, .firmware = (uint8_t)firmware};
	va_start(ap, fmt);
	if (vasprintf(&f->text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return f;
}

static unsigned firmware_of(enum verify_what what)
{
	switch (what) {
	case VERIFY_LBA0:
	case VERIFY_AREA:
	case VERIFY_SAVED:
	case VERIFY_STAGE2:
	case VERIFY_LEFT: return DRILL_BIOS;
	case VERIFY_NO_ESP:
	case VERIFY_APP:
	case VERIFY_FALLBACK:
	case VERIFY_MANIFEST:
	case VERIFY_FILE: return DRILL_UEFI;
	default: return DRILL_BIOS | DRILL_UEFI;
	}
}

/* Without the saved boot code there is nothing to go on to. */
static bool is_fault(const struct verify_finding *f)
{
	return f->boot || f->what == VERIFY_SAVED;
}

static bool holds_leg(const struct mirror *m, unsigned disk)
{
	for (unsigned i = 0; i < m->leg_count; i++)
		if (m->leg[i].disk == disk)
			return true;
	return false;
}

/* Is a disk that mirrorboot is installed on in this mirror? */
static bool is_booted(const struct verify *v, const struct mirror *m)
{
	for (unsigned i = 0; i < v->count; i++)
		if ((v->disk[i].bios || v->disk[i].uefi) && holds_leg(m, i))
			return true;
	return false;
}

bool drill_should_start(const struct drill *d, const struct verify *v, unsigned disk)
{
	const struct survey *s = &d->set->survey;
	bool any = false;

	for (unsigned i = 0; i < s->mirror_count; i++) {
		if (!holds_leg(&s->mirror[i], disk))
			continue;
		if (is_booted(v, &s->mirror[i]))
			return true;
		any = true;
	}
	/* One that holds no mirror at all may have lost it. */
	return !any || v->disk[disk].bios || v->disk[disk].uefi;
}

static void find_legs(struct drill *d, const struct survey *s, unsigned disk)
{
	bool any = false;

	for (unsigned i = 0; i < s->mirror_count; i++) {
		const struct mirror *m = &s->mirror[i];

		for (unsigned k = 0; k < m->leg_count; k++) {
			const struct leg *l = &m->leg[k];
			struct say_text why;

			if (l->disk != disk)
				continue;
			any = true;
			if (l->verdict == VERDICT_IN_SYNC || l->verdict == VERDICT_SPARE)
				continue;
			say_text_init(&why);
			reason_text(&l->why, &why.text);
			add(d, disk, DRILL_BIOS | DRILL_UEFI, "its leg of mirror %s is %s: %s",
			    m->name[0] ? m->name : "(no name)", verdict_name(l->verdict), why.buf);
			free(why.buf);
		}
	}
	if (!any)
		add(d, disk, DRILL_BIOS | DRILL_UEFI, "it holds no leg of a mirror")->fault = true;
}

/* A program for firmware, and not one of ours? */
static bool is_loader(const struct esp *e, const char *path)
{
	const char *name = strrchr(path, '\\');
	size_t n = strlen(path);

	if (!name || n < 4 || strcasecmp(path + n - 4, ".efi") ||
	    !strncasecmp(path, "\\EFI\\mirrorboot\\", 16))
		return false;
	for (unsigned i = 0; i < EFIAPP_ARCHS; i++)
		if (!strncasecmp(path, "\\EFI\\BOOT\\", 10) &&
		    !strcasecmp(name + 1, efiapp_get(i)->fallback) &&
		    e->loader[i].fallback != ESP_FOREIGN)
			return false;
	return true;
}

/* Is there something to go on to, on this disk alone? */
static void find_next_loader(struct drill *d, const struct verify *v, unsigned disk)
{
	const struct job *j = v->disk[disk].job;
	bool any = false;

	if (v->bios && j->boot.old.saved_good && !installed_has_code(j->boot.old.saved))
		add(d, disk, DRILL_BIOS,
		    "it has no boot loader to go on to: install one on it, then run \"mirrorboot "
		    "install%s\"",
		    d->paths)
			->fault = true;
	if (!v->disk[disk].uefi || j->man.why[0])
		return;
	for (unsigned i = 0; i < j->man.count && !any; i++)
		any = is_loader(&j->esp, j->man.file[i].f.path);
	if (!any)
		add(d, disk, DRILL_UEFI,
		    "its EFI system partition has no boot loader to go on to: install one, or copy "
		    "it from another disk's with \"mirrorboot esp clone\"")
			->fault = true;
}

/* Forget what is not about the firmware that is drilled. */
static void keep_only(struct drill *d, unsigned firmware)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < d->finding_count; i++)
		if (d->finding[i].firmware & firmware)
			d->finding[kept++] = d->finding[i];
		else
			free(d->finding[i].text);
	d->finding_count = kept;
}

void drill_faults_find(struct drill *d, const struct verify *v, unsigned firmware)
{
	const struct survey *s = &d->set->survey;

	for (unsigned i = 0; i < v->count; i++) {
		if (!drill_should_start(d, v, i))
			continue;
		for (unsigned k = 0; k < v->disk[i].count; k++) {
			const struct verify_finding *f = &v->disk[i].finding[k];
			struct drill_finding *own = add(d, i, firmware_of(f->what), "%s", f->text);

			own->fault = is_fault(f);
			own->run = f->run;
		}
		find_next_loader(d, v, i);
		find_legs(d, s, i);
	}
	keep_only(d, firmware);
}

static bool concerns(const struct drill_finding *f, const struct drill_case *c)
{
	return (f->firmware & (c->uefi ? DRILL_UEFI : DRILL_BIOS)) && drill_case_has(c, f->disk);
}

const struct drill_finding *drill_fault_of(const struct drill *d, const struct drill_case *c,
					   unsigned n)
{
	bool faults = false;

	for (unsigned i = 0; i < d->finding_count; i++)
		faults |= d->finding[i].fault && concerns(&d->finding[i], c);
	for (unsigned i = 0; i < d->finding_count; i++) {
		const struct drill_finding *f = &d->finding[i];

		if (concerns(f, c) && f->fault == faults && !n--)
			return f;
	}
	return NULL;
}

char *drill_fault_text(const struct drill *d, const struct drill_finding *f)
{
	const char *path = d->set->host[f->disk].path;
	char *text;
	int n;

	if (f->run)
		n = asprintf(&text, "%s: %s: run \"mirrorboot %s%s\"", path, f->text, f->run,
			     d->paths);
	else
		n = asprintf(&text, "%s: %s", path, f->text);
	if (n < 0)
		abort();
	return text;
}
