//! Prints the folder with Tongsuo's source, as its crate was fetched.

fn main() {
    println!("{}", tongsuo_src::source_dir().display());
}
