"""Deep generative models in JAX and Flax, as pure functions.

`jaxgen` computes: losses, networks, models and their updates, with no effect on disk, clock or screen.
Import the module that you need, for example `from jaxgen.losses.penalties import gradient_penalty` or
`from jaxgen.gans import wgan_gp`; this file imports nothing, so a loss loads no network library.
"""

__version__ = "0.1.0"
