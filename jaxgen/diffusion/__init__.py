"""Diffusion and flow models: a module a training objective, and what they share.

`schedules`, `predictions`, `weights` and `times` say how data are turned into noise and what a network learns of it;
`grids`, `limits`, `guidance` and the samplers say how noise is turned into data. All of them are values.
"""
