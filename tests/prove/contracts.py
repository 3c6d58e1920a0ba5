# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""
What Eva can't see in parsers of text: that a place and a length belong together. Contracts and
loop invariants in ACSL, which prove.py puts into copies of the sources, each before the text that
it belongs to; Eva takes what they say, and WP has to prove it. (FILE, before, ACSL)
"""

RANGE = [
    ("common/range.h", "static inline bool range_ok(",
     r"""assigns \nothing; ensures exact: \result != 0 <==> off + len <= max;"""),
    ("common/range.h", "static inline uint64_t min_u64(",
     r"""assigns \nothing; ensures least: \result <= a && \result <= b &&
         (\result == a || \result == b);"""),
]

MEM_IS_STR = [
    ("common/mem.c", "bool mem_is_zero(const void *p",
     r"requires n == 0 || \valid_read((const uint8_t *)p + (0 .. n - 1)); assigns \nothing;"),
    ("common/mem.c", "while (n--)\n",
     r"""loop invariant 0 <= n <= \at(n, Pre);
         loop invariant b == (const uint8_t *)\at(p, Pre) + (\at(n, Pre) - n);
         loop assigns n, b;"""),
    ("common/mem.c", "bool mem_is_str(const char *p",
     r"""requires span: n == 0 || \valid_read(p + (0 .. n - 1));
         requires text: valid_read_string(s);
         assigns \nothing;"""),
    ("common/mem.c", "for (; n--; p++, s++)",
     r"""loop invariant 0 <= n <= \at(n, Pre);
         loop invariant p == \at(p, Pre) + (\at(n, Pre) - n);
         loop unroll 24;
         loop assigns n, p, s;"""),
]

SPAN = r"requires in_text: in_text({0});"

CONFIG = [
    ("common/config.c", "enum key {\n",
     r"predicate in_text(struct span s) = s.n == 0 || \valid_read(s.at + (0 .. s.n - 1));"),
    ("common/config.c", "static struct span trim(",
     r"""requires in_text: in_text(s); assigns \nothing;
         ensures in_text: in_text(\result); ensures shorter: \result.n <= s.n;"""),
    ("common/config.c", "while (s.n > 0 && (s.at[0] == ' '",
     r"""loop invariant 0 <= s.n <= \at(s.n, Pre);
         loop invariant s.at == \at(s.at, Pre) + (\at(s.n, Pre) - s.n);
         loop assigns s;"""),
    ("common/config.c", "while (s.n > 0 && (s.at[s.n - 1] == ' '",
     r"""loop invariant 0 <= s.n <= \at(s.n, LoopEntry);
         loop assigns s.n;"""),
    ("common/config.c", "static struct span without_comment(",
     r"""requires in_text: in_text(s); assigns \nothing;
         ensures in_text: in_text(\result); ensures shorter: \result.n <= s.n;"""),
    ("common/config.c", "for (size_t i = 0; i < s.n; i++)\n\t\tif (s.at[i] == '#'",
     r"""loop invariant 0 <= i;
         loop invariant 0 <= s.n <= \at(s.n, Pre);
         loop assigns i, s.n;"""),
    ("common/config.c", "static void fault(",
     r"""requires in_text: in_text(word); requires \valid(err);
         requires \separated(err, word.at + (0 .. word.n - 1));
         assigns *err;"""),
    ("common/config.c", "for (size_t i = 0; i < n; i++)\n\t\terr->word[i]",
     r"""loop invariant 0 <= i <= n;
         loop assigns i, err->word[0 .. 31];"""),
    ("common/config.c", "static bool parse_number(",
     r"requires in_text: in_text(s); requires \valid(to); assigns *to;"),
    ("common/config.c", "for (size_t i = 0; i < s.n; i++) {\n\t\tif (s.at[i] < '0'",
     r"loop invariant 0 <= i <= s.n; loop assigns i, n;"),
    ("common/config.c", "static enum config_fault set_text(",
     r"""requires in_text: in_text(v); requires \valid(to + (0 .. 127));
         requires \separated(to + (0 .. 127), v.at + (0 .. v.n - 1));
         assigns to[0 .. 127];"""),
    ("common/config.c", "static enum config_fault set_choice(",
     r"requires in_text: in_text(v); assigns *c;"),
    ("common/config.c", "static enum config_fault set_value(",
     r"requires in_text: in_text(v); assigns *c;"),
    ("common/config.c", "static void parse_line(",
     r"requires in_text: in_text(text); assigns *c, *seen, *err;"),
    ("common/config.c", "while (eq < text.n",
     r"loop invariant 0 <= eq <= text.n; loop assigns eq;"),
    ("common/config.c", "while (k < KEY_COUNT &&",
     r"loop invariant 0 <= k <= KEY_COUNT; loop assigns k; loop unroll 16;"),
    ("common/config.c", "for (unsigned i = 0; i < CHOICES; i++) {",
     r"loop invariant 0 <= i <= 64; loop assigns i; loop unroll 64;"),
    ("common/config.c", "enum status config_parse(",
     r"""requires in_text: n_bytes == 0 || \valid_read(text + (0 .. n_bytes - 1));"""),
    ("common/config.c", "while (n_bytes > 0 && text[n_bytes - 1]",
     r"""loop invariant 0 <= n_bytes <= \at(n_bytes, Pre); loop assigns n_bytes;"""),
    ("common/config.c", "while (at < n_bytes && text[at] != '\\0') {",
     r"""loop invariant text == \at(text, Pre) && n_bytes <= \at(n_bytes, Pre);
         loop invariant 0 <= at <= n_bytes;
         loop invariant n_bytes == 0 || \valid_read(text + (0 .. n_bytes - 1));
         loop assigns at, line, seen, *c, *err;"""),
    ("common/config.c", "while (at < n_bytes && text[at] != '\\n' &&",
     r"""loop invariant \at(at, LoopEntry) <= at <= n_bytes; loop assigns at;"""),
]

TRUST = [
    ("common/trust.c", "static bool add_one(",
     r"requires in_text: n == 0 || \valid_read(word + (0 .. n - 1)); assigns *t;"),
    ("common/trust.c", "bool trust_add(",
     r"""requires in_text: text_bytes == 0 || \valid_read(text + (0 .. text_bytes - 1));
         assigns *t;"""),
    ("common/trust.c", "while (at < text_bytes) {",
     r"""loop invariant text == \at(text, Pre) && text_bytes == \at(text_bytes, Pre);
         loop invariant 0 <= at <= text_bytes;
         loop invariant text_bytes == 0 || \valid_read(text + (0 .. text_bytes - 1));
         loop assigns at, end, good, any, *t;"""),
    ("common/trust.c", "for (end = at; end < text_bytes",
     r"loop invariant at <= end <= text_bytes; loop assigns end;"),
    ("common/trust.c", "static bool is_between(", r"assigns \nothing;"),
]

GUID = [
    ("common/guid.c", "bool guid_from_text(",
     r"""requires in_text: text_bytes == 0 || \valid_read(text + (0 .. text_bytes - 1));
         assigns *g;"""),
    ("common/guid.c", "bool guid_is_zero(", r"assigns \nothing;"),
    ("common/guid.c", "for (unsigned i = 0; i < 16; i++) {\n\t\tif ((i == 4 ||",
     r"""loop invariant 0 <= i <= 16;
         loop invariant text == \at(text, Pre) + 2 * i + (i > 4 ? 1 : 0) + (i > 6 ? 1 : 0) +
             (i > 8 ? 1 : 0) + (i > 10 ? 1 : 0);
         loop assigns i, text, *g;"""),
    ("common/guid.c", "for (size_t i = 0; i < text_bytes && text[i]; i++) {",
     r"""loop invariant 0 <= i <= text_bytes; loop invariant digits <= 32;
         loop assigns i, digits, *g;"""),
    ("common/guid.c", "bool guid_from_text_gpt(",
     r"""requires in_text: chars == 0 || \valid_read(text + (0 .. chars - 1));"""),
    ("common/guid.c", "static int hex_value(", r"assigns \nothing; ensures -1 <= \result <= 15;"),
]

CRC32 = [
    ("common/crc32.c", "uint32_t crc32_update(",
     r"""requires there: n_bytes == 0 || \valid_read((const uint8_t *)data + (0 .. n_bytes - 1));
         assigns \nothing;"""),
    ("common/crc32.c", "while (n_bytes--) {",
     r"""loop invariant 0 <= n_bytes <= \at(n_bytes, Pre);
         loop invariant p == (const uint8_t *)\at(data, Pre) + (\at(n_bytes, Pre) - n_bytes);
         loop assigns n_bytes, p, crc;"""),
]

LDM_RECORD = [
    ("common/ldm_record.c", "const uint8_t *ldm_raw(",
     r"""predicate cursor(struct ldm_cursor *c) = \valid(c) &&
             \valid_read(c->data + (0 .. c->end - 1)); */ /*@
         requires cursor: cursor(c);
         assigns c->at, c->bad;
         ensures there: \result != \null ==> \valid_read(\result + (0 .. bytes - 1));"""),
    ("common/ldm_record.c", "uint64_t ldm_be(",
     r"""requires \valid_read(bytes + (0 .. n - 1)); assigns \nothing;"""),
    ("common/ldm_record.c", "for (unsigned i = 0; i < n; i++)\n\t\tvalue",
     r"loop invariant 0 <= i <= n; loop assigns i, value;"),
    ("common/ldm_record.c", "uint64_t ldm_fixed(",
     r"""requires cursor: cursor(c); assigns c->at, c->bad;"""),
    ("common/ldm_record.c", "uint64_t ldm_var(",
     r"""requires cursor: cursor(c); assigns c->at, c->bad;"""),
    ("common/ldm_record.c", "uint32_t ldm_var32(",
     r"""requires cursor: cursor(c); assigns c->at, c->bad;"""),
    ("common/ldm_record.c", "void ldm_text(",
     r"""requires room: to_bytes >= 1 && \valid(to + (0 .. to_bytes - 1));
         requires there: \valid_read((const char *)from + (0 .. from_bytes - 1));
         requires apart: \separated(to + (0 .. to_bytes - 1),
                                    (const char *)from + (0 .. from_bytes - 1));
         assigns to[0 .. to_bytes - 1];"""),
    ("common/ldm_record.c", "for (; n + 1 < to_bytes",
     r"""loop invariant 0 <= n < to_bytes; loop invariant n <= from_bytes;
         loop assigns n, to[0 .. to_bytes - 1];"""),
]

MANIFEST = [
    ("common/manifest.c", "/* The line that starts at *at,",
     r"predicate in_text(struct line l) = l.left == 0 || \valid_read(l.at + (0 .. l.left - 1));"),
    ("common/manifest.c", "static bool next_line(",
     r"""requires valid: \valid(at) && \valid(l) && \valid_read(m);
         requires text: end == 0 || \valid_read(m->text + (0 .. end - 1));
         requires apart: \separated(at, l, m);
         assigns *at, *l;
         ensures in_text: \result ==> in_text(*l);"""),
    ("common/manifest.c", "while (i < end && m->text[i]",
     r"loop invariant *at <= i && (i <= end || i == *at); loop assigns i;"),
    ("common/manifest.c", "static struct line word(",
     r"""requires \valid(l) && in_text(*l) && \separated(l, l->at + (0 .. l->left - 1));
         assigns *l;
         ensures in_text(\result) && in_text(*l);
         ensures \result.at == \old(l->at) && \result.left <= \old(l->left);
         ensures l->left <= \old(l->left);
         ensures l->at == \old(l->at) + (\old(l->left) - l->left);"""),
    ("common/manifest.c", "while (w.left < l->left &&",
     r"loop invariant 0 <= w.left <= l->left; loop assigns w.left;"),
    ("common/manifest.c", "static int hex(",
     r"assigns \nothing; ensures -1 <= \result <= 15;"),
    ("common/manifest.c", "static bool get_hash(",
     r"""requires in_text(w); requires \valid(out + (0 .. 31));
         assigns out[0 .. 31];"""),
    ("common/manifest.c", "for (unsigned i = 0; i < SHA256_BYTES; i++) {\n\t\tint high",
     r"loop invariant 0 <= i <= 32; loop assigns i, out[0 .. 31]; loop unroll 32;"),
    ("common/manifest.c", "static bool get_u64(",
     r"""requires in_text(w); requires \valid(out); assigns *out;"""),
    ("common/manifest.c", "for (; w.left; w.at++, w.left--) {\n\t\tunsigned digit",
     r"""loop invariant 0 <= w.left <= \at(w.left, Pre);
         loop invariant w.at == \at(w.at, Pre) + (\at(w.left, Pre) - w.left);
         loop assigns w, n;"""),
    ("common/manifest.c", "static bool get_hex32(",
     r"""requires in_text(w); requires \valid(out); assigns *out;"""),
    ("common/manifest.c", "for (; w.left; w.at++, w.left--) {\n\t\tint digit",
     r"""loop invariant 0 <= w.left <= \at(w.left, Pre);
         loop invariant w.at == \at(w.at, Pre) + (\at(w.left, Pre) - w.left);
         loop assigns w, n;"""),
    ("common/manifest.c", "static unsigned utf8_char(",
     r"""requires left >= 1 && \valid_read(p + (0 .. left - 1));
         assigns \nothing; ensures 0 <= \result <= 4 && \result <= left;"""),
    ("common/manifest.c", "for (unsigned i = 1; i < n; i++)\n",
     r"loop invariant 1 <= i <= n; loop assigns i;"),
    ("common/manifest.c", "static bool is_forbidden(",
     r"assigns \nothing;"),
    ("common/manifest.c", "bool manifest_path_ok(",
     r"""requires bytes == 0 || \valid_read((const uint8_t *)path + (0 .. bytes - 1));
         assigns \nothing;"""),
    ("common/manifest.c", "for (size_t i = 1; i < bytes;) {",
     r"""loop invariant 1 <= i <= bytes; loop assigns i, name, dots;"""),
    ("common/manifest.c", "static bool is_file_line(",
     r"requires in_text(l); assigns \nothing; ensures \result ==> l.left >= 5;"),
    ("common/manifest.c", "static bool get_file(",
     r"""requires in_text(l) && \valid(f);
         assigns *f;
         ensures path: \result ==> \valid_read(f->path + (0 .. f->path_bytes - 1));"""),
    ("common/manifest.c", "static bool get_head_line(",
     r"""requires in_text: in_text(l);"""),
    ("common/manifest.c", "static bool get_key(",
     r"""requires in_text: in_text(value);"""),
    ("common/manifest.c", "for (unsigned i = 0; i < KEYS; i++)\n",
     r"loop invariant 0 <= i <= KEYS; loop assigns i, *seen; loop unroll 4;"),
    ("common/manifest.c", "bool manifest_next(",
     r"""requires valid: \valid(at) && \valid(f) && \valid_read(m);
         requires text: m->end == 0 || \valid_read(m->text + (0 .. m->end - 1));
         requires apart: \separated(at, f, m);
         assigns *at, *f;
         ensures path: \result ==> \valid_read(f->path + (0 .. f->path_bytes - 1));"""),
    ("common/manifest.c", "while (manifest_next(m, &at, f))",
     r"loop assigns at, *f;"),
    ("common/manifest.c", "for (unsigned i = 0; forbidden[i]; i++)",
     r"loop invariant 0 <= i <= 9; loop assigns i; loop unroll 12;"),
    ("common/manifest.c", "static char lower(", r"assigns \nothing;"),
    ("common/manifest.c", "static bool same_path(",
     r"""requires bytes == 0 || (\valid_read(a + (0 .. bytes - 1)) && \valid_read(b + (0 .. bytes - 1)));
         assigns \nothing;"""),
    ("common/manifest.c", "while (bytes && lower(*a)",
     r"""loop invariant 0 <= bytes <= \at(bytes, Pre);
         loop invariant a == \at(a, Pre) + (\at(bytes, Pre) - bytes);
         loop invariant b == \at(b, Pre) + (\at(bytes, Pre) - bytes);
         loop assigns a, b, bytes;"""),
    ("common/manifest.c", "bool manifest_find(",
     r"""requires valid: \valid(f) && \valid_read(m) && \separated(f, m);
         requires path: path_bytes == 0 || \valid_read(path + (0 .. path_bytes - 1));
         requires text: m->end == 0 || \valid_read(m->text + (0 .. m->end - 1));"""),

]

BOOTENTRY = [
    ("common/bootentry.c", "static size_t node_bytes(",
     r"""predicate sound(struct bootentry *e) =
             (e->path_bytes == 0 || \valid_read(e->path + (0 .. e->path_bytes - 1))) &&
             (e->data_bytes == 0 || \valid_read(e->data + (0 .. e->data_bytes - 1))) &&
             (e->name_units == 0 || \valid_read(e->name + (0 .. 2 * e->name_units - 1))) &&
             e->tail_at <= e->first_bytes <= e->path_bytes <= 65535;
;;
         requires header: \valid_read(node + (0 .. 3)); assigns \nothing;
         ensures length: \result == (node[2] | (node[3] << 8));
         ensures limit: 0 <= \result <= 65535;"""),
    ("common/bootentry.c", "static bool is(",
     r"requires header: \valid_read(node + (0 .. 1)); assigns \nothing;"),
    ("common/bootentry.c", "static void take_hd(",
     r"""requires \valid(e) && at + 4 <= e->path_bytes <= 65535;
         requires \valid_read(e->path + (0 .. e->path_bytes - 1));
         requires node: at + (e->path[at + 2] | (e->path[at + 3] << 8)) <= e->path_bytes;
         assigns e->on_partition, e->hd, e->tail_at;
         ensures tail: e->tail_at == \old(e->tail_at) ||
             (e->tail_at == at + 42 && (e->path[at + 2] | (e->path[at + 3] << 8)) == 42);"""),
    ("common/bootentry.c", "static bool walk(",
     r"""requires \valid(e) && e->path_bytes <= 65535 && e->tail_at == 0;
         requires path: e->path_bytes == 0 || \valid_read(e->path + (0 .. e->path_bytes - 1));
         requires apart: \separated(e, e->path + (0 .. e->path_bytes - 1));
         assigns e->on_partition, e->hd, e->tail_at, e->first_bytes;
         ensures in_path: \result ==> e->tail_at <= e->first_bytes <= e->path_bytes;"""),
    ("common/bootentry.c", "while (range_ok(at, sizeof(struct node), e->path_bytes)) {",
     r"""loop invariant 0 <= at <= e->path_bytes; loop invariant e->tail_at <= at;
         loop assigns at, n, first, e->on_partition, e->hd, e->tail_at, e->first_bytes;"""),
    ("common/bootentry.c", "enum status bootentry_parse(",
     r"""requires \valid(e);
         requires there: bytes == 0 || \valid_read((const uint8_t *)variable + (0 .. bytes - 1));
         requires apart: \separated(e, (const uint8_t *)variable + (0 .. bytes - 1));
         assigns *e;
         ensures sound: \result == 0 ==> sound(e);"""),
    ("common/bootentry.c", "while (range_ok(at, 2, bytes) &&",
     r"""loop invariant 6 <= at <= bytes && at % 2 == 0; loop assigns at;"""),
    ("common/bootentry.c", "bool bootentry_file(",
     r"""requires \valid_read(e) && sound(e) && \valid(file + (0 .. 511));
         requires \separated(e, file + (0 .. 511));
         requires \separated(e->path + (0 .. e->path_bytes - 1), file + (0 .. 511));
         assigns file[0 .. 511];"""),
    ("common/bootentry.c", "for (size_t at = e->tail_at;",
     r"""loop invariant e->tail_at <= at <= e->first_bytes; loop invariant 0 <= used <= 511;
         loop assigns at, n, used, file[0 .. 511];"""),
    ("common/bootentry.c", "for (size_t i = 0; i <= (n - sizeof(struct node)) / 2; i++) {",
     r"""loop invariant 0 <= i <= (n - 4) / 2 + 1; loop invariant 0 <= used <= 511;
         loop assigns i, used, file[0 .. 511];"""),
    ("common/bootentry.c", "bool bootentry_same_file(",
     r"requires \valid_read(a) && \valid_read(b) && sound(a) && sound(b);"),
    ("common/bootentry.c", "while (i + 1 < BOOTENTRY_FILE_UNITS &&",
     r"loop invariant 0 <= i <= 511; loop assigns i;"),
    ("common/bootentry.c", "bool bootentry_same_program(",
     r"requires \valid_read(a) && \valid_read(b) && sound(a) && sound(b);"),
    ("common/bootentry.c", "bool bootentry_is_automatic(",
     r"requires \valid_read(e) && sound(e);"),
    ("common/bootentry.c", "static void put(",
     r"""requires \valid(o) && o->used <= o->room;
         requires room: o->room == 0 || \valid(o->p + (0 .. o->room - 1));
         requires there: n == 0 || \valid_read((const uint8_t *)bytes + (0 .. n - 1));
         requires apart: \separated(o->p + (0 .. o->room - 1),
                                    (const uint8_t *)bytes + (0 .. n - 1));
         ensures o->used <= o->room;"""),
    ("common/bootentry.c", "enum status bootentry_retarget(",
     r"requires \valid_read(e) && sound(e);"),
]

FAT = [
    ("common/fat_name.c", "static bool is_forbidden(", r"assigns \nothing;"),
    ("common/fat_name.c", "for (unsigned i = 0; forbidden[i]; i++)",
     r"loop invariant 0 <= i <= 10; loop assigns i; loop unroll 12;"),
    ("common/fat_name.c", "static size_t put_utf8(",
     r"""requires point: c <= 0x10ffff;
         requires room: \valid(out + (0 .. (c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3)));
         assigns out[0 .. (c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3)];
         ensures \result == (c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);"""),
    ("common/fat_name.c", "for (unsigned i = 1; i <= more; i++)",
     r"loop invariant 1 <= i <= more + 1; loop assigns i, out[1 .. more];"),
    ("common/fat_name.c", "static bool put_part(",
     r"""requires \valid(bytes) && \valid(name + (0 .. 36)) && *bytes + 3 * n <= 36 && n <= 8;
         requires \valid_read(part + (0 .. n - 1));
         requires \separated(bytes, name + (0 .. 36), part + (0 .. n - 1));
         assigns *bytes, name[0 .. 36];
         ensures \old(*bytes) <= *bytes <= \old(*bytes) + 3 * \old(n);"""),
    ("common/fat_name.c", "while (n && part[n - 1] == ' ')",
     r"loop invariant 0 <= n <= \at(n, Pre); loop assigns n;"),
    ("common/fat_name.c", "for (unsigned i = 0; i < n; i++) {\n\t\tuint32_t c = part[i];",
     r"""loop invariant 0 <= i <= n;
         loop invariant \at(*bytes, Pre) <= *bytes <= \at(*bytes, Pre) + 3 * i;
         loop assigns i, *bytes, name[0 .. 36];"""),
    ("common/fat_name.c", "bool fat_long_name(",
     r"""requires \valid(bytes) && \valid(name + (0 .. 765));
         requires n > 255 || n == 0 || \valid_read(units + (0 .. n - 1));
         requires \separated(bytes, name + (0 .. 765)) && \separated(bytes, units + (0 .. n - 1)) &&
                  \separated(name + (0 .. 765), units + (0 .. n - 1));"""),
    ("common/fat_name.c", "for (unsigned i = 0; i < n; i++) {\n\t\tuint32_t c = units[i];",
     r"""loop invariant 0 <= i <= n; loop invariant 0 <= *bytes <= 3 * i;
         loop assigns i, only_dots, *bytes, name[0 .. 765];"""),
]

WALK = [
    ("common/fat_walk.c", "static void cut_path(",
     r"""requires \valid(w) && bytes <= 1024; assigns w->path_bytes, w->path[0 .. 1024];
         ensures w->path_bytes == bytes;"""),
    ("common/fat_walk.c", "static bool add_name(",
     r"""requires \valid(w) && w->path_bytes <= 1024 && w->entry.name_bytes <= 765;
         assigns w->path_bytes, w->path[0 .. 1024];
         ensures w->path_bytes <= 1024;"""),
]

ALL = FAT + WALK + BOOTENTRY + RANGE + MEM_IS_STR + CONFIG + TRUST + GUID + CRC32 + LDM_RECORD + MANIFEST
