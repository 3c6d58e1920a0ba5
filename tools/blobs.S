/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The boot files (found by the assembler's -I) and what `esp enable` installs, as they are. */

.macro blob name, file
	.global blob_\name, blob_\name\()_bytes
	.balign 16
blob_\name:
	.incbin "\file"
.Lend_\name:
	.balign 4
blob_\name\()_bytes:
	.long .Lend_\name - blob_\name
.endm

	.section .rodata
	blob mbr, "mbr.bin"
	blob stage2, "stage2.bin"
	blob stage2_md, "stage2-md.bin"
	blob stage2_ldm, "stage2-ldm.bin"
	blob stage2_small, "stage2-small.bin"
	blob efi, "mirrorboot.efi"
	blob efi32, "mirrorbootia32.efi"

	blob esp_service, "tools/dist/mirrorboot-esp.service"
	blob esp_timer, "tools/dist/mirrorboot-esp.timer"
	blob esp_path, "tools/dist/mirrorboot-esp.path"
	blob esp_hook, "tools/dist/hook"

	.section .note.GNU-stack, "", @progbits
