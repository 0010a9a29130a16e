from auralis_fp._native._core_x86_64_v3 import BLOCK_FRAMES as BLOCK_FRAMES
from auralis_fp._native._core_x86_64_v3 import CancelToken as CancelToken
from auralis_fp._native._core_x86_64_v3 import analyze_bytes as analyze_bytes
from auralis_fp._native._core_x86_64_v3 import analyze_file as analyze_file
from auralis_fp._native._core_x86_64_v3 import analyze_samples as analyze_samples
from auralis_fp._native._core_x86_64_v3 import build_info as build_info
from auralis_fp._native._core_x86_64_v3 import testing as testing
