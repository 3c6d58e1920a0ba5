/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The mirrorboot authors */
/* The boot record that a UEFI firmware keeps as a variable, by way of Linux's efivarfs. */
#ifndef TOOLS_BOOTVAR_H
#define TOOLS_BOOTVAR_H

#include "common/record.h"

/*
 * ST_ABSENT: this machine was not started by UEFI, or its firmware has none. ST_CORRUPT:
 * what it has is no record. The folder of variables is /sys/firmware/efi/efivars, or what
 * the environment variable MIRRORBOOT_EFIVARS names.
 */
enum status bootvar_read(struct record *r);

#endif
