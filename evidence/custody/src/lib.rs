//! Originals in a local content-addressed store of SM4 envelopes
