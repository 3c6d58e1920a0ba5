/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* What shim and the revocation lists know us by (SBAT.md of shim). Raise the generation after a
 * hole. */
__attribute__((section(".sbat"), used)) static const char sbat[] =
	"sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
	"mirrorboot,1,The mirrorboot authors,mirrorboot," MIRRORBOOT_VERSION ",mirrorboot\n";
