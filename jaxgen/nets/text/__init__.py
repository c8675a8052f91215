"""Networks of texts: captions as UTF-8 bytes, padded with 0, (batch, length) uint8.

An encoder gives each caption one vector: `net(captions, (features,), mode=mode)`.
"""
