/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
#include "efi/command.h"

#include "common/cmdline.h"
#include "efi/console.h"
#include "efi/path.h"

struct command {
	const char *name;
	EFI_STATUS (*run)(const struct command_words *w, struct text *out);
	const char *usage; /* what follows the name */
};

static EFI_STATUS command_help(const struct command_words *w, struct text *out);

static const struct command commands[] = {
	{"status", command_status, ""},
	{"clone", command_clone, " [FROM] [TO...] [--yes] [--keep-extra] [--force]"},
	{"entries", command_entries,
	 " [list] | clone --from PART --to PART [--append TEXT] [--last] | mirror --add PART "
	 "[--description TEXT] [--append TEXT] [--last] | delete {--id XXXX | --on PART}... "
	 "[--force] | repair, [--yes]; PART: its GUID, or DISK:NUMBER"},
	{"help", command_help, ""},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void say_usage(const struct command *c, struct text *out)
{
	text_str(out, "mirrorboot.efi ");
	text_str(out, c->name);
	text_str(out, c->usage);
	text_char(out, '\n');
}

EFI_STATUS command_usage(const struct command_words *w, struct text *out)
{
	text_str(out, "Usage: ");
	for (unsigned i = 0; i < COMMANDS; i++)
		if (commands[i].name == w->name)
			say_usage(&commands[i], out);
	return EFI_INVALID_PARAMETER;
}

static EFI_STATUS command_help(const struct command_words *w, struct text *out)
{
	if (w->count)
		return command_usage(w, out);
	for (unsigned i = 0; i < COMMANDS; i++)
		say_usage(&commands[i], out);
	text_str(out, "Without a command: boots. FROM and TO: an ESP's number as \"status\" has "
		      "it, or its partition GUID.\n");
	return EFI_SUCCESS;
}

bool command_ask(const char *question, unsigned seconds, struct text *out)
{
	char key;

	console_forget_keys();
	text_str(out, question);
	text_str(out, " Type y for yes, any other key for no: ");
	key = console_key(seconds);
	if (key > ' ' && key <= '~')
		text_char(out, key);
	text_char(out, '\n');
	return key == 'y' || key == 'Y';
}

/* ---- what we were started with --------------------------------------------------------------- */

/* The file's name without its folders, as far as it is ASCII. */
static void own_name(const EFI_LOADED_IMAGE *image, char name[PATH_CHARS])
{
	CHAR16 file[PATH_CHARS];
	unsigned from = 0, n = 0;

	name[0] = '\0';
	if (image->FilePath == NULL || !path_file(image->FilePath, file))
		return;
	for (unsigned i = 0; file[i]; i++)
		if (file[i] == '\\')
			from = i + 1;
	while (file[from] && file[from] < 127)
		name[n++] = (char)file[from++];
	name[n] = '\0';
}

/* UCS-2; what is no ASCII is no command either. False: there is no room for it, or it is no text.
 */
static bool read_words(const EFI_LOADED_IMAGE *image, struct cmdline *line)
{
	const CHAR16 *from = image->LoadOptions;
	size_t n = image->LoadOptionsSize / sizeof(CHAR16);
	char text[CMDLINE_CHARS + 1];

	if (from == NULL || n > CMDLINE_CHARS)
		n = 0;
	for (size_t i = 0; i < n; i++)
		text[i] = from[i] < 127 ? (char)from[i] : '?';
	return cmdline_split(line, text, n);
}

static const struct command *find(const char *word)
{
	for (unsigned i = 0; i < COMMANDS; i++)
		if (cmdline_same(word, commands[i].name))
			return &commands[i];
	return NULL;
}

bool command_run(EFI_STATUS *status)
{
	const EFI_LOADED_IMAGE *image = uefi_protocol(uefi_image, &uefi_loaded_image);
	const struct command *c;
	struct command_words words;
	struct cmdline line;
	char name[PATH_CHARS];
	unsigned first;

	if (image == NULL || !read_words(image, &line))
		return false;
	own_name(image, name);
	first = cmdline_first(&line, name);
	c = first < line.count ? find(line.word[first]) : NULL;
	if (c == NULL)
		return false;
	words = (struct command_words){
		.name = c->name, .count = line.count - first - 1, .word = line.word + first + 1};
	*status = c->run(&words, console_init(true));
	console_close();
	return true;
}
