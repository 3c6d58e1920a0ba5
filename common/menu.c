/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "common/menu.h"

enum { KEY_TAB = 9, KEY_LF = 10, KEY_ENTER = 13, KEY_ESCAPE = 27, DIGITS = 10 };

/* So many keys that lead to nothing may be a person's; more are noise on a serial line. */
#define PATIENCE 32

/* Shift may still be held, or Caps Lock be on. */
static char lower(char key)
{
	return key >= 'A' && key <= 'Z' ? (char)(key - 'A' + 'a') : key;
}

static bool is_digit(char key)
{
	return key >= '0' && key <= '9';
}

bool menu_opens(char key)
{
	key = lower(key);
	return key == 'm' || key == ' ' || key == KEY_TAB || key == KEY_ESCAPE || is_digit(key);
}

bool menu_has_choice(const struct survey *s, unsigned mirror)
{
	for (unsigned i = 0; i < s->mirror[mirror].leg_count; i++)
		if (policy_leg(s, mirror, i) != POLICY_LEG_NEVER)
			return true;
	return false;
}

static const struct mirror *mirror_of(const struct menu *m)
{
	return &m->survey->mirror[m->mirror];
}

static void say_leg(const struct menu *m, const char *before, unsigned leg)
{
	text_str(m->out, before);
	text_u64(m->out, leg);
}

static void ask_leg(struct menu *m)
{
	m->asks = MENU_ASKS_LEG;
	text_str(m->out, "Which leg is to be booted from? Type its number: ");
}

static enum menu_answer ask_again(struct menu *m)
{
	ask_leg(m);
	if (m->useless >= PATIENCE)
		return MENU_IGNORED;
	m->useless++;
	return MENU_WAITS;
}

void menu_init(struct menu *m, struct survey *s, const struct policy *p,
	       const struct report_names *names, const struct menu_more *more, struct text *out)
{
	*m = (struct menu){.survey = s,
			   .names = names,
			   .out = out,
			   .mirror = p->mirror,
			   .more = s->mirror[p->mirror].leg_count > DIGITS ? NULL : more,
			   .has_default = p->action == POLICY_BOOT || p->action == POLICY_PAUSE};
	report_mirror(s, m->mirror, names, out);
	if (m->has_default) {
		text_str(out, "Enter, or ");
		text_u64(out, MENU_IDLE_S);
		say_leg(m, " s without a key: leg ", mirror_of(m)->chosen);
		text_str(out, ". ");
	}
	text_str(out, "x: this disk as it is, without the mirror.\n");
	if (m->more)
		text_str(out, more->text);
	if (mirror_of(m)->leg_count > DIGITS)
		text_str(out, "For leg 10 type a, for leg 11 b, and so on.\n");
	ask_leg(m);
}

/* The leg that a key stands for, NO_LEG when it stands for none. Letters only where legs need them.
 */
static unsigned leg_of(const struct menu *m, char key)
{
	unsigned count = mirror_of(m)->leg_count;

	if (is_digit(key))
		return (unsigned)(key - '0');
	if (count > DIGITS && key >= 'a' && key < 'a' + MIRROR_LEGS - DIGITS)
		return (unsigned)(key - 'a') + DIGITS;
	return NO_LEG;
}

static enum menu_answer refuse(struct menu *m, unsigned leg)
{
	if (leg >= mirror_of(m)->leg_count) {
		say_leg(m, "There is no leg ", leg);
	} else {
		say_leg(m, "Leg ", leg);
		text_str(m->out, " can't be booted from: ");
		reason_text(&mirror_of(m)->leg[leg].why, m->out);
	}
	text_str(m->out, ".\n");
	return ask_again(m);
}

static enum menu_answer take(struct menu *m, unsigned leg, bool even_stale)
{
	if (!policy_choose(m->survey, m->mirror, leg, even_stale))
		return refuse(m, leg);
	report_choice(m->survey, m->mirror, m->names, m->out);
	return MENU_GOES_ON;
}

static enum menu_answer answer_leg(struct menu *m, unsigned leg)
{
	if (policy_leg(m->survey, m->mirror, leg) != POLICY_LEG_CONFIRMED)
		return take(m, leg, false);
	m->asks = MENU_CONFIRMS_LEG;
	m->leg = (uint8_t)leg;
	say_leg(m, "Leg ", leg);
	text_str(m->out, " is out of date: ");
	reason_text(&mirror_of(m)->leg[leg].why, m->out);
	text_str(m->out, ".\nType y to boot from it all the same: ");
	return MENU_WAITS;
}

static void echo(struct menu *m, char key)
{
	if (key > ' ' && key <= '~')
		text_char(m->out, key);
	text_char(m->out, '\n');
}

static enum menu_answer confirm(struct menu *m, char key)
{
	echo(m, key);
	if (key != 'y')
		return ask_again(m);
	return m->asks == MENU_CONFIRMS_RAW ? MENU_GOES_RAW : take(m, m->leg, true);
}

enum menu_answer menu_key(struct menu *m, char key)
{
	unsigned leg;

	key = lower(key);
	if (m->has_default &&
	    (key == 0 || (m->asks == MENU_ASKS_LEG && (key == KEY_ENTER || key == KEY_LF)))) {
		say_leg(m, "\nGoing on with leg ", mirror_of(m)->chosen);
		text_str(m->out, ".\n");
		return MENU_GOES_ON;
	}
	if (m->asks != MENU_ASKS_LEG)
		return confirm(m, key);
	leg = leg_of(m, key);
	if (m->more && key == m->more->key) {
		echo(m, key);
		return MENU_MORE;
	}
	if (leg == NO_LEG && key != 'x')
		return MENU_IGNORED;
	echo(m, key);
	if (leg != NO_LEG)
		return answer_leg(m, leg);
	m->asks = MENU_CONFIRMS_RAW;
	text_str(m->out, "This disk may be out of date, and nothing will fail over. "
			 "Type y to start it: ");
	return MENU_WAITS;
}
