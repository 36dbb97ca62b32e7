//! TLCP over tokio, alone and with Tongsuo on the other side.

mod stream;
mod tongsuo;
#[allow(dead_code, reason = "the unit tests use all of it")]
mod world;
