"""What XLA is told in tests, before JAX starts."""

import importlib.metadata


def compiler_flags() -> str:
    """For `XLA_FLAGS`: most of the tests' time is the compiler's."""
    flags = ["--xla_cpu_parallel_codegen_split_count=1"]  # shared out, a small program takes a quarter longer
    if importlib.metadata.version("jaxlib").startswith("0.10."):  # later ones know one way alone, and refuse the flag
        # The older of the two ways to emit fusions compiles an update in two fifths of the time.
        flags.append("--xla_cpu_use_fusion_emitters=false")
    return " ".join(flags)
