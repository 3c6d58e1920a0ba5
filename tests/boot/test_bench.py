# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What `make bench` counts with, on a loop of known length: by the plugin and by the TSC."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bench_bios  # noqa: E402
import bench_count  # noqa: E402
import bench_disks  # noqa: E402


def test_a_known_loop(tmp_path):
    disk = tmp_path / "disk"
    code = bench_disks.reader(tmp_path, first_lba=1, reads=False)
    disk.write_bytes(code.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    try:
        # run() counts the loop, and raises where it is not as long as it should be
        got = bench_bios.run(bench_count.build(tmp_path), [str(disk)], "virtio-blk", tmp_path)
    except bench_count.Unavailable as e:
        pytest.skip(f"this QEMU counts nothing, and `make bench` can't either: {e}")
    assert got.handovers == [bench_count.Counts(0, 0, 0)]  # one boot sector, and the first mark
    assert got.profile[bench_bios.MARK] == 2               # MARK was called before and after
    wrong = bench_count.Counts(bench_bios.LOOPS + 4)
    with pytest.raises(RuntimeError, match="was counted as 10004"):
        bench_bios.calibrate(wrong)
