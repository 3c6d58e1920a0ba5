# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
#
# One Makefile for everything. O= sets the output folder, V=1 shows commands,
# SAN=1 builds the host side with ASan and UBSan. `make help` lists the targets.

O       ?= build
PREFIX  ?= /usr/local
PYTHON  ?= /usr/bin/python3
VERSION := 0.1

ifeq ($(V),1)
Q :=
else
Q := @
MAKEFLAGS += --no-print-directory
endif
say = @printf '  %-6s %s\n' $(1) $(2)

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

# Warnings are errors with the compiler that we test with; another's new ones must stop nobody.
WERROR ?= $(if $(filter 12,$(shell gcc -dumpversion 2>/dev/null)),-Werror)
WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
        -Wno-unused-parameter $(WERROR)
INC  := -I. -DMIRRORBOOT_VERSION='"$(VERSION)"'
DEP   = -MMD -MP

# ---- flavours: the same common/ compiled four times --------------------------------------------
HOST_CC     := gcc
comma       := ,
HOST_SAN    := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)
HOST_CFLAGS := -std=gnu11 -O2 -g $(WARN) $(INC) -D_FILE_OFFSET_BITS=64 -D_GNU_SOURCE $(HOST_SAN)
FREESTANDING := -std=gnu11 -Os -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
                -fno-strict-aliasing -fno-pic -fno-pie -fcf-protection=none -fno-ident $(WARN) $(INC)
BIOS_COMMON := $(FREESTANDING) -march=i386 -mregparm=3 -mpreferred-stack-boundary=2 \
               -ffunction-sections -fdata-sections -fno-jump-tables -fwrapv
# What packs best, by trial.
BIOS32_CFLAGS := $(BIOS_COMMON) -m32 -Oz -fno-tree-fre -fno-if-conversion -fno-code-hoisting -fno-tree-ch
# Nearly all instructions of a boot are in this one; as small so, and a fifth faster.
UNPACK_CFLAGS := $(BIOS_COMMON) -m32 -O2 -falign-functions=1 -falign-jumps=1 -falign-loops=1 -falign-labels=1 \
                 -fno-inline-functions -fno-tree-pre -fno-code-hoisting
# Real-mode code pays two prefix bytes for most instructions; these make fewer of them.
BIOS16_CFLAGS := $(BIOS_COMMON) -m16 -Oz -fno-tree-fre -fno-tree-copy-prop -fno-if-conversion \
                 -fno-move-loop-invariants -fno-tree-loop-ivcanon -fno-code-hoisting
EFI_COMMON  := -std=gnu11 -O2 -ffreestanding -fpic -fshort-wchar -fno-stack-protector -fno-stack-check \
               -fno-strict-aliasing -fcf-protection=none -fno-asynchronous-unwind-tables \
               -fno-merge-all-constants -mno-red-zone -mno-avx -mno-sse -mno-mmx -fno-ident \
               $(WARN) $(INC) -isystem /usr/include/efi
EFI_CFLAGS  := $(EFI_COMMON) -maccumulate-outgoing-args -DGNU_EFI_USE_MS_ABI \
               -isystem /usr/include/efi/x86_64
# 64-bit members at multiples of 8, as the firmware has them; its stack may be at any multiple of 4.
EFI32_CFLAGS := $(EFI_COMMON) -m32 -malign-double -mincoming-stack-boundary=2 \
                -isystem /usr/include/efi/ia32

COMMON_C := $(wildcard common/*.c)
# The resident part takes what it runs, no more.
RESIDENT_COMMON_C := common/vdisk.c common/vdisk_write.c common/md1_mark.c common/freestanding.c
RESIDENT_C := $(wildcard stage2/int13*.c stage2/resident*.c stage2/e820*.c)
STAGE2_FORMATS_C := $(wildcard stage2/formats_*.c)
STAGE2_C   := $(filter-out $(RESIDENT_C) $(STAGE2_FORMATS_C) stage2/readonly.c stage2/menuless.c stage2/trustless.c, \
                $(wildcard stage2/*.c))
EFI_C      := $(wildcard efi/*.c)
TOOLS_C    := $(wildcard tools/*.c)
UNIT_C     := $(wildcard tests/unit/test_*.c)
FUZZ_C     := $(wildcard tests/fuzz/fuzz_*.c)
SIM_C      := $(wildcard tests/sim/sim_*.c)

objs = $(patsubst %.c,$(O)/$(1)/%.o,$(2))

# libc and the sanitizers have their own memcpy; only a firmware has a console.h.
HOST_COMMON_C := $(filter-out common/freestanding.c common/menu_offer.c,$(COMMON_C))
HOST_COMMON := $(call objs,host,$(HOST_COMMON_C))
BIOS32_OBJS := $(call objs,bios32,$(COMMON_C) $(STAGE2_C))
BIOS16_OBJS := $(call objs,bios16,$(RESIDENT_COMMON_C) $(RESIDENT_C))
EFI_OBJS    := $(call objs,efi,$(COMMON_C) $(EFI_C))
EFI32_OBJS  := $(call objs,efi32,$(COMMON_C) $(EFI_C))
TOOLS_OBJS  := $(call objs,host,$(TOOLS_C))
TOOLS_LIBS   = $(shell pkg-config --libs json-c mount blkid fdisk)

.PHONY: all
STAGE2_BINS := $(addprefix $(O)/,stage2.bin stage2-md.bin stage2-ldm.bin stage2-small.bin)
all: $(O)/mbr.bin $(STAGE2_BINS) $(O)/mirrorboot.efi $(O)/mirrorbootia32.efi $(O)/mirrorboot ## build everything: MBR, stage2, EFI application, tool

$(O)/host/%.o: %.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(DEP) -c $< -o $@

$(O)/bios32/%.o: %.c
	$(call say,CC32,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(BIOS32_CFLAGS) $(DEP) -c $< -o $@

$(O)/bios32/stage2/unpack.o: BIOS32_CFLAGS := $(UNPACK_CFLAGS)

$(O)/bios16/%.o: %.c
	$(call say,CC16,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(BIOS16_CFLAGS) $(DEP) -c $< -o $@

$(O)/efi/%.o: %.c
	$(call say,CCEFI,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(EFI_CFLAGS) $(DEP) -c $< -o $@

$(O)/efi32/%.o: %.c
	$(call say,CCEFI,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(EFI32_CFLAGS) $(DEP) -c $< -o $@

$(O)/asm/%.o: %.asm
	$(call say,ASM,$@)
	@mkdir -p $(@D)
	$(Q)nasm -f elf32 -I $(O)/ -Wall -Werror -MD $(@:.o=.d) -o $@ $<

# ---- mbr/, stage2/, the resident part ----------------------------------------------------------
LD32 := ld -m elf_i386 -nostdlib --gc-sections --no-warn-rwx-segments -z noexecstack

$(O)/mbr.bin: $(O)/asm/mbr/mbr.o linker/mbr.ld
	$(call say,LD,$@)
	$(Q)$(LD32) -T linker/mbr.ld -o $(@:.bin=.elf) $<
	$(Q)objcopy -O binary $(@:.bin=.elf) $@

# What a stage2 of one family has in place of what it leaves out.
MD_INSTEAD  := $(O)/bios32/stage2/formats_md.o
LDM_INSTEAD := $(O)/bios32/stage2/formats_ldm.o $(O)/bios32/stage2/readonly.o
MD_OBJS     := $(filter-out %/formats.o %/volume.o %/tabledoor.o,$(BIOS32_OBJS)) $(MD_INSTEAD)
WRITING     := %/vdisk_write.o %/md1_mark.o %/writeplan.o
LDM_OBJS    := $(filter-out %/formats.o $(WRITING),$(BIOS32_OBJS)) $(LDM_INSTEAD)
# Where there is little room: md, no writes, no leg menu, no "trust =".
SMALL_OBJS  := $(filter-out %/vdisk_write.o %/writeplan.o %/menu.o %/menu_offer.o %/trust.o,$(MD_OBJS)) \
               $(addprefix $(O)/bios32/stage2/,readonly.o menuless.o trustless.o)
LDM16_OBJS  := $(filter-out $(WRITING),$(BIOS16_OBJS)) $(O)/bios16/stage2/readonly.o

RESIDENT_BINS := $(addprefix $(O)/,resident.bin resident-ldm.bin)
$(O)/resident.bin: $(BIOS16_OBJS)
$(O)/resident-ldm.bin: $(LDM16_OBJS)
$(RESIDENT_BINS): $(O)/asm/stage2/int13_hook.o linker/resident.ld
	$(call say,LD,$@)
	$(Q)$(LD32) -T linker/resident.ld -Map $(@:.bin=.map) -o $(@:.bin=.elf) $(filter %.o,$^)
	$(Q)objcopy -O binary $(@:.bin=.elf) $@

# entry.asm includes resident.bin, or the other one, by "incbin"
$(O)/asm/stage2/entry.o: $(O)/resident.bin
$(O)/asm/stage2/entry-ldm.o: stage2/entry.asm $(O)/resident-ldm.bin
	$(call say,ASM,$@)
	@mkdir -p $(@D)
	$(Q)nasm -f elf32 -I $(O)/ -Wall -Werror -DRESIDENT='"resident-ldm.bin"' -MD $(@:.o=.d) -o $@ $<

# stage2 for all formats, and smaller ones for one family each, where there is less room: another
# table of formats is linked in, and what it does not name is left out. Low part as it is, the
# rest packed behind it.
$(O)/stage2.bin: $(O)/asm/stage2/entry.o $(BIOS32_OBJS)
$(O)/stage2-md.bin: $(O)/asm/stage2/entry.o $(MD_OBJS)
$(O)/stage2-ldm.bin: $(O)/asm/stage2/entry-ldm.o $(LDM_OBJS)
$(O)/stage2-small.bin: $(O)/asm/stage2/entry-ldm.o $(SMALL_OBJS)
$(STAGE2_BINS): $(addprefix $(O)/asm/stage2/,chsdoor.o tabledoor.o) linker/stage2.ld tools/pack
	$(call say,LD,$@)
	$(Q)$(LD32) -T linker/stage2.ld -Map $(@:.bin=.map) -o $(@:.bin=.elf) $(filter %.o,$^)
	$(Q)objcopy -O binary -j .low $(@:.bin=.elf) $(@:.bin=.low)
	$(Q)objcopy -O binary -j .high $(@:.bin=.elf) $(@:.bin=.high)
	$(Q)$(PYTHON) tools/pack $(@:.bin=.high) $(@:.bin=.packed)
	$(Q)cat $(@:.bin=.low) $(@:.bin=.packed) > $@

# ---- efi/ --------------------------------------------------------------------------------------
# Where gnu-efi's package has its files depends on the release.
efi_crt0 = $(firstword $(wildcard $(addsuffix /crt0-efi-$(1).o,$(2) $(addsuffix /gnuefi,$(2)))))
EFI_CRT0   := $(or $(call efi_crt0,x86_64,/usr/lib /usr/lib/x86_64-linux-gnu),/usr/lib/crt0-efi-x86_64.o)
EFI32_CRT0 := $(call efi_crt0,ia32,/usr/lib32 /usr/lib/ia32 /usr/lib/i386-linux-gnu)
EFI_LD     := ld -nostdlib -znocombreloc -znorelro -shared -Bsymbolic --no-undefined -z noexecstack -z text \
              --warn-common --no-warn-rwx-segments
EFI_OBJCOPY := objcopy -j .text -j .rodata -j .data -j .dynamic -j .rela -j .rel -j .sbat -j .reloc \
               --strip-all --section-alignment=4096

$(O)/mirrorboot.efi: $(EFI_OBJS) linker/efi.ld tools/pe-nx.py
	$(call say,LD,$@)
	$(Q)$(EFI_LD) -T linker/efi.ld -L$(dir $(EFI_CRT0)) $(EFI_CRT0) $(EFI_OBJS) -o $(@:.efi=.so) -lgnuefi
	$(Q)$(EFI_OBJCOPY) --output-target=efi-app-x86_64 $(@:.efi=.so) $@
	$(Q)$(PYTHON) tools/pe-nx.py $@

# For 32-bit firmware. An empty file where this machine's gnu-efi can't make it: the tool then says so.
ifneq ($(EFI32_CRT0),)
$(O)/mirrorbootia32.efi: $(EFI32_OBJS) linker/efi-ia32.ld tools/pe-nx.py
	$(call say,LD,$@)
	$(Q)$(EFI_LD) -m elf_i386 -T linker/efi-ia32.ld -L$(dir $(EFI32_CRT0)) $(EFI32_CRT0) $(EFI32_OBJS) \
	    -o $(@:.efi=.so) -lgnuefi
	$(Q)$(EFI_OBJCOPY) --output-target=efi-app-ia32 $(@:.efi=.so) $@
	$(Q)$(PYTHON) tools/pe-nx.py $@
else
$(O)/mirrorbootia32.efi:
	@echo "  NONE   $@: this gnu-efi has no crt0-efi-ia32.o; built for 64-bit firmware only"
	@mkdir -p $(@D)
	$(Q): > $@
endif

# What tests boot before us and as a next loader, and what `make bench` measures with.
TEST_EFI := $(addprefix $(O)/,$(addsuffix .efi,witness badtpm child sight blockio_cases bench matrix))
TEST_EFI_OBJS := $(call objs,efi,$(addprefix efi/,uefi.c espfile.c path.c console.c) \
                   $(addprefix common/,text.c sha256.c espcheck.c guid.c mem.c freestanding.c))
$(O)/blockio_cases.efi: $(call objs,efi,$(filter-out %_cases.c,$(wildcard tests/efi/blockio_*.c)))
$(O)/bench.efi: $(call objs,efi,tests/efi/blockio_find.c)
$(TEST_EFI): $(O)/%.efi: $(O)/efi/tests/efi/%.o $(TEST_EFI_OBJS) linker/efi.ld
	$(call say,LD,$@)
	$(Q)$(EFI_LD) -T linker/efi.ld -L$(dir $(EFI_CRT0)) $(EFI_CRT0) $(filter %.o,$^) -o $(@:.efi=.so) -lgnuefi
	$(Q)$(EFI_OBJCOPY) --output-target=efi-app-x86_64 $(@:.efi=.so) $@

# KEY and CERT: PEM files, as sbsign wants them.
.PHONY: sign
sign: $(O)/mirrorboot.efi $(O)/mirrorbootia32.efi ## sign the EFI applications: make sign KEY=db.key CERT=db.pem
	$(Q)tools/sign $(O) "$(KEY)" "$(CERT)"

# ---- tools/ ------------------------------------------------------------------------------------
# The boot files are part of the tool: one binary, always of one version.
$(O)/host/tools/blobs.o: tools/blobs.S $(O)/mbr.bin $(STAGE2_BINS) $(O)/mirrorboot.efi \
                         $(O)/mirrorbootia32.efi $(wildcard tools/dist/*)
	$(call say,AS,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -Wa,-I$(O) -c tools/blobs.S -o $@

$(O)/mirrorboot: $(TOOLS_OBJS) $(HOST_COMMON) $(O)/host/tools/blobs.o
	$(call say,LD,$@)
	$(Q)$(HOST_CC) $(HOST_SAN) -o $@ $^ $(TOOLS_LIBS)

# ---- demo, tests -------------------------------------------------------------------------------
# Each asks tools/deps to install what is missing (announced), then goes on in a make of its own:
# on a fresh machine the compiler itself comes from there.
.PHONY: deps demo demo-run test test-run unit sim fuzz fuzz-smoke oracle boot-test cli-test
.PHONY: fuzz-merge fuzz-breaks coverage coverage-run
.PHONY: test-host test-programs unit-programs sim-programs smoke-programs
.PHONY: prove matrix matrix-broken test-whole sim-flush pictures bench bench-run size lint help story story-run
deps: ## install the Debian packages that are missing (tools/packages.txt), through sudo when not root
	@tools/deps tools/packages.txt

demo: deps ## the main job, shown: mirrors with a stale, half-built or failing leg boot from the right one
	@$(MAKE) demo-run

demo-run: all
	$(Q)$(PYTHON) images/demo.py --build $(O)

test: deps ## all tests: unit, sim, fuzz smoke, CLI, boots in QEMU, lint, sizes
	@$(MAKE) test-run

test-run: test-host cli-test oracle boot-test

# All that is built for tests, and what runs in one thread, side by side. What boots takes all processors.
JOBS ?= $(shell nproc)
test-host:
	@$(MAKE) -j$(JOBS) --output-sync=target test-programs size lint unit sim fuzz-smoke

test-programs: all $(TEST_EFI) unit-programs sim-programs smoke-programs

UNIT_BIN := $(patsubst tests/unit/%.c,$(O)/unit/%,$(UNIT_C))
TEST_HELP := $(patsubst %.c,$(O)/host/%.o,$(wildcard tests/unit/help*.c))
$(O)/unit/%: $(O)/host/tests/unit/%.o $(TEST_HELP) $(HOST_COMMON)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_SAN) -o $@ $^ -lcmocka -lz

# int13_handle() is resident code; its test links it on the host.
$(O)/unit/test_int13: $(O)/host/stage2/int13.o
$(O)/unit/test_menu_offer: $(O)/host/common/menu_offer.o

unit-programs: $(UNIT_BIN)
sim-programs: $(SIM_BIN)
smoke-programs: $(SMOKE_BIN)

unit: $(UNIT_BIN) ## unit tests of common/ and of int13_handle() (cmocka)
	$(Q)set -e; for t in $(UNIT_BIN); do $$t; done

SIM_BIN := $(patsubst tests/sim/%.c,$(O)/sim/%,$(SIM_C))
SIM_HELP := $(patsubst %.c,$(O)/host/%.o,$(wildcard tests/sim/crash*.c) tests/unit/help_md.c tests/unit/help_part.c)
$(O)/sim/%: $(O)/host/tests/sim/%.o $(SIM_HELP) $(filter-out %/main.o,$(TOOLS_OBJS)) \
             $(HOST_COMMON) $(O)/host/tools/blobs.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_SAN) -o $@ $^ $(TOOLS_LIBS) -lcmocka -lz

# Parts of stage2 and of efi/, on the host.
$(O)/sim/sim_record: $(O)/host/stage2/bootrecord.o
SIM_EFI := $(call objs,host,efi/request.c efi/efidisk.c)
$(O)/sim/sim_request: $(SIM_EFI)
$(SIM_EFI) $(O)/host/tests/sim/sim_request.o: HOST_CFLAGS += -fshort-wchar -DGNU_EFI_USE_MS_ABI \
    -maccumulate-outgoing-args -isystem /usr/include/efi -isystem /usr/include/efi/x86_64

sim: $(SIM_BIN) ## the crash disk: every write cut, torn, lost or reordered
	$(Q)set -e; for t in $(SIM_BIN); do $$t; done

sim-flush: $(SIM_BIN) ## each flush taken out of what writes, one at a time: does a simulation see it?
	$(Q)$(PYTHON) tests/sim/flushes.py --build $(O)

.PHONY: cuts cuts-run
cuts: deps ## power cuts: 10,000 different states of each command that writes (an hour); docs/powercut.md
	@tools/deps tools/packages-cuts.txt
	@$(MAKE) cuts-run

cuts-run: $(SIM_BIN)
	$(Q)$(PYTHON) tests/sim/cuts.py --build $(O) --write docs/powercut.md

# ---- fuzz targets: with clang's libFuzzer, and over the seeds with gcc's sanitizers -------------
TIME        ?= 60
FUZZ_CC     ?= clang
FUZZ_CORPUS ?= $(O)/corpus
FUZZ_LEDGER ?= $(O)/fuzz-ledger.tsv
FUZZ        := tests/fuzz/fuzz.py
FUZZ_NAMES  := $(patsubst tests/fuzz/%.c,%,$(FUZZ_C))
FUZZ_BIN    := $(addprefix $(O)/fuzz/,$(FUZZ_NAMES))
SMOKE_BIN   := $(addprefix $(O)/fuzz-smoke/,$(FUZZ_NAMES))
COVER_BIN   := $(addprefix $(O)/fuzz-cover/,$(FUZZ_NAMES))
SANITIZE    := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_CFLAGS  = -std=gnu11 -O1 -g $(INC) -D_GNU_SOURCE $(SANITIZE)
# Here a sum that wraps is a fault as well, but where tests/fuzz/wraps.txt says why not.
FUZZ_NO_WRAP := gpt mbrtab part md0 md1 md_probe ldm_list ldm_record survey \
                fat fat_dir fat_file fat_walk fat_name manifest manifest_write config cmdline bootentry writeplan
$(foreach f,$(FUZZ_NO_WRAP),$(O)/fuzz-obj/common/$(f).o): FUZZ_WRAP := -fsanitize=unsigned-integer-overflow \
    -fsanitize-ignorelist=tests/fuzz/wraps.txt

$(O)/fuzz-obj/%.o: %.c tests/fuzz/wraps.txt
	$(call say,FUZZ,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(FUZZ_WRAP) $(DEP) -c $< -o $@

$(O)/smoke-obj/%.o: %.c
	$(call say,SMOKE,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(FUZZ_CFLAGS) $(WARN) $(DEP) -c $< -o $@

SMOKE_MAIN := tests/fuzz/smoke.o
$(O)/fuzz/%: $(O)/fuzz-obj/tests/fuzz/%.o $(call objs,fuzz-obj,$(HOST_COMMON_C))
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer $(SANITIZE) -o $@ $^
$(O)/fuzz-smoke/%: $(O)/smoke-obj/tests/fuzz/%.o $(O)/smoke-obj/$(SMOKE_MAIN) $(call objs,smoke-obj,$(HOST_COMMON_C))
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(SANITIZE) -o $@ $^
$(O)/fuzz-cover/%: $(O)/host/tests/fuzz/%.o $(O)/host/$(SMOKE_MAIN) $(HOST_COMMON)
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_SAN) -o $@ $^

# What else a target needs.
$(O)/fuzz/fuzz_int13: $(O)/fuzz-obj/stage2/int13.o
$(O)/fuzz-smoke/fuzz_int13: $(O)/smoke-obj/stage2/int13.o
$(O)/fuzz-cover/fuzz_int13: $(O)/host/stage2/int13.o
$(O)/fuzz/fuzz_menu: $(O)/fuzz-obj/common/menu_offer.o
$(O)/fuzz-smoke/fuzz_menu: $(O)/smoke-obj/common/menu_offer.o
$(O)/fuzz-cover/fuzz_menu: $(O)/host/common/menu_offer.o

fuzz: $(FUZZ_BIN) ## libFuzzer over each target, TIME= seconds each, TARGETS= some (needs clang); FUZZ_CORPUS=, FUZZ_LEDGER= to go on with
	$(Q)$(PYTHON) $(FUZZ) run --programs $(O)/fuzz --corpus $(FUZZ_CORPUS) --ledger $(FUZZ_LEDGER) \
	    --time $(TIME) $(TARGETS)

fuzz-merge: $(FUZZ_BIN) ## what of the grown corpora adds to the seeds, into tests/fuzz/corpus
	$(Q)$(PYTHON) $(FUZZ) merge --programs $(O)/fuzz --corpus $(FUZZ_CORPUS) $(TARGETS)

fuzz-smoke: $(SMOKE_BIN) ## the fuzz targets over seeds and mutations of them, with gcc's sanitizers
	$(Q)$(PYTHON) $(FUZZ) smoke --programs $(O)/fuzz-smoke $(TARGETS)

fuzz-breaks: $(SMOKE_BIN) ## take checks out of the parsers, one at a time: do the fuzz targets see it? (ten minutes)
	$(Q)$(PYTHON) tests/fuzz/breaks.py --build $(O)

# -O0, or lines that were run look as if they were not.
coverage: ## line coverage of common/ by unit tests, the simulation and the fuzz seeds; fails below 95 %
	@$(MAKE) O=$(O)/coverage HOST_SAN="--coverage -O0" coverage-run

coverage-run: $(UNIT_BIN) $(SIM_BIN) $(COVER_BIN)
	$(Q)find $(O) -name '*.gcda' -delete
	$(Q)set -e; for t in $(UNIT_BIN) $(SIM_BIN); do $$t >$(O)/log 2>&1 || { tail -40 $(O)/log; exit 1; }; done
	$(Q)$(PYTHON) $(FUZZ) smoke --mutations 0 --programs $(O)/fuzz-cover
	$(Q)$(PYTHON) tests/fuzz/coverage.py --build $(O) --least 95 --lines

oracle: all $(TEST_EFI) ## what real mdadm and Linux say of the same bytes (a guest in QEMU)
	$(Q)MIRRORBOOT_BUILD=$(O) $(PYTHON) -m pytest -q -rfEs --durations=25 -n 2 --dist loadfile tests/oracle

cli-test: all ## the tool, from outside
	$(Q)MIRRORBOOT_BUILD=$(O) $(PYTHON) -m pytest -q -rfEs --durations=12 -n 2 --dist loadfile tests/cli

boot-test: all $(TEST_EFI) ## boots in QEMU: SeaBIOS and OVMF, real GRUB
	$(Q)MIRRORBOOT_BUILD=$(O) $(PYTHON) -m pytest -q -rfEs --durations=40 -n 2 --dist loadfile \
	    tests/story tests/boot

# FILES: names in common/; SAMPLE: that many mutants, drawn; AGAIN=1: those that lived last time.
.PHONY: mutate mutate-run
mutate: deps ## each check and write in common/ taken out or changed, one at a time: do the tests see it? FILES=, SAMPLE=, AGAIN=1
	@tools/deps tools/packages-mutate.txt
	@$(MAKE) mutate-run

mutate-run: all
	$(Q)$(PYTHON) tests/mutate/mutate.py --build $(O) --files "$(FILES)" --sample $(or $(SAMPLE),0) \
	    $(if $(AGAIN),--again) $(MUTATE)

prove: deps ## Frama-C over the parsers of common/: no undefined behaviour, whatever a disk holds (docs/proof.md)
	@tools/deps tools/packages-prove.txt
	$(Q)$(PYTHON) tests/prove/prove.py --build $(O)

story: deps ## the whole story in a Debian made for it: a disk dies, an upgrade, the stale disk is back (half an hour)
	@tools/deps tools/packages-story.txt
	@$(MAKE) story-run

story-run: deb
	$(Q)$(PYTHON) tests/story/story.py --build $(O)

test-whole: all $(TEST_EFI) ## what `make test` takes a sample of: read errors at 200 sectors, all loaders on all controllers (hours)
	$(Q)MIRRORBOOT_BUILD=$(O) MIRRORBOOT_WHOLE=1 $(PYTHON) -m pytest -q -rfEs --durations=12 -n 2 --dist loadfile \
	    tests/boot/test_bad_sectors.py tests/boot/test_bad_sectors_uefi.py tests/boot/test_loaders_uefi.py \
	    tests/boot/test_loaders.py tests/boot/test_menu.py tests/boot/test_trust.py \
	    tests/boot/test_record_uefi.py tests/boot/test_measured.py tests/boot/test_blockio_uefi.py \
	    tests/boot/test_install_cut.py tests/boot/test_matrix.py \
	    tests/oracle/test_writes.py tests/oracle/test_writes_any.py \
	    tests/oracle/test_writes_uefi.py tests/oracle/test_esp_systemd.py \
	    tests/oracle/test_espmatrix.py tests/oracle/test_fatclone.py

# ONLY="dead uefi nvme": some of it; docs/matrix.md is then left as it is.
matrix: all $(TEST_EFI) ## every fault on every controller and both firmwares, into docs/matrix.md (half an hour)
	$(Q)$(PYTHON) tests/boot/matrix_main.py --build $(O) $(ONLY)

matrix-broken: ## the matrix over a broken mirrorboot: which cells find it? Into docs/matrix.md (an hour)
	$(Q)$(PYTHON) tests/boot/matrix_broken.py --build $(O)

pictures: all ## the README's pictures, of real boots, into docs/pictures
	$(Q)$(PYTHON) images/pictures.py --build $(O)

bench: deps ## every figure beside another's: instructions, requests, sizes (BENCH= --only, --compare, --write)
	@tools/deps tools/packages-bench.txt
	@$(MAKE) bench-run

bench-run: all $(TEST_EFI)
	$(Q)$(PYTHON) tests/bench.py --build $(O) $(BENCH)

size: all ## sizes against their budgets; fails when one is exceeded
	$(Q)tools/size $(O)

lint: ## formatting, cppcheck, and the rules of common/
	$(Q)tools/lint $(O)

# ---- install, clean, help ----------------------------------------------------------------------
.PHONY: install uninstall man deb dist clean
man: all ## man pages and bash completion, into $(O)/man
	$(Q)tools/mkman $(O)/mirrorboot $(O)/man

# The first two do nothing until "mirrorboot esp enable", the others until their timer is enabled.
UNITS := mirrorboot-esp.service mirrorboot-esp.timer mirrorboot-check.service mirrorboot-check.timer

# They do nothing until "mirrorboot esp enable". The path unit is made by that: it names folders.
HOOKS := /etc/kernel/postinst.d/zzz-mirrorboot /etc/kernel/postrm.d/zzz-mirrorboot \
         /etc/initramfs/post-update.d/zzz-mirrorboot /etc/kernel/install.d/zzz-mirrorboot.install
# What says that a package has put its boot code over ours.
APT_HOOK := /etc/apt/apt.conf.d/90mirrorboot

install: all man ## install the tool and the boot files under DESTDIR/PREFIX
	install -D -m 755 $(O)/mirrorboot $(DESTDIR)$(PREFIX)/sbin/mirrorboot
	install -D -m 644 $(O)/mirrorboot.efi $(DESTDIR)$(PREFIX)/lib/mirrorboot/mirrorboot.efi
	[ ! -s $(O)/mirrorbootia32.efi ] || \
	    install -D -m 644 $(O)/mirrorbootia32.efi $(DESTDIR)$(PREFIX)/lib/mirrorboot/mirrorbootia32.efi
	for n in 5 7 8; do \
	    install -d $(DESTDIR)$(PREFIX)/share/man/man$$n && \
	    install -m 644 $(O)/man/*.$$n $(DESTDIR)$(PREFIX)/share/man/man$$n/ || exit 1; \
	done
	install -D -m 644 $(O)/man/mirrorboot.bash \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mirrorboot
	install -d $(addprefix $(DESTDIR),$(PREFIX)/lib/systemd/system $(dir $(HOOKS)))
	for unit in $(UNITS); do \
	    sed -e 's|@MIRRORBOOT@|$(PREFIX)/sbin/mirrorboot|g' -e 's|@LIBRARY@|$(PREFIX)/lib/mirrorboot|g' \
	        tools/dist/$$unit >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit 1; \
	done
	sed 's|@MIRRORBOOT@|$(PREFIX)/sbin/mirrorboot|g' tools/dist/check >$(DESTDIR)$(PREFIX)/lib/mirrorboot/check
	chmod 755 $(DESTDIR)$(PREFIX)/lib/mirrorboot/check
	for hook in $(HOOKS); do \
	    sed 's|@MIRRORBOOT@|$(PREFIX)/sbin/mirrorboot|g' tools/dist/hook >$(DESTDIR)$$hook && \
	    chmod 755 $(DESTDIR)$$hook || exit 1; \
	done
	install -d $(DESTDIR)$(dir $(APT_HOOK))
	sed 's|@MIRRORBOOT@|$(PREFIX)/sbin/mirrorboot|g' tools/dist/apt.conf >$(DESTDIR)$(APT_HOOK)
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/mirrorboot/README.md
	install -m 644 docs/*.md $(DESTDIR)$(PREFIX)/share/doc/mirrorboot/
	install -d $(DESTDIR)$(PREFIX)/share/doc/mirrorboot/formats
	install -m 644 docs/formats/*.md $(DESTDIR)$(PREFIX)/share/doc/mirrorboot/formats/

uninstall: ## remove what `make install` put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/mirrorboot
	rm -rf $(DESTDIR)$(PREFIX)/lib/mirrorboot $(DESTDIR)$(PREFIX)/share/doc/mirrorboot
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mirrorboot
	rm -f $(addprefix $(DESTDIR),$(HOOKS) $(APT_HOOK))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/lib/systemd/system/,$(UNITS))
	rm -f $(DESTDIR)$(PREFIX)/share/man/man5/mirrorboot.conf.5 \
	    $(DESTDIR)$(PREFIX)/share/man/man7/mirrorboot-messages.7 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/mirrorboot.8

deb: all ## Debian packages, into $(O)/deb
	$(Q)tools/mkdeb $(O)

dist: ## a source archive of what is committed
	@mkdir -p $(O)
	git archive --prefix=mirrorboot-$(VERSION)/ -o $(O)/mirrorboot-$(VERSION).tar.gz HEAD

clean: ## remove the output folder
	rm -rf $(O)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include $(shell find $(O) -name '*.d' -type f 2>/dev/null)
