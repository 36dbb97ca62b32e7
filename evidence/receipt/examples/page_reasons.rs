//! Prints `page/reasons.js`, the sentences that `verify.html` says.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    print!("{}", changbai_receipt::page_reasons());
}
