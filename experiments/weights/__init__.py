"""Files of weights: safetensors by name, and the authors' own files, read without running anything from them."""
