//! A release holds the console, which `make console` builds; nothing here runs npm.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../console/dist");
    // A debug build reads the files when they are asked for, and says on their page if they are not there. What embeds
    // them resolves the folder's path now; where it can't be made, the page says the same.
    if env::var("PROFILE").as_deref() != Ok("release") {
        let _ = std::fs::create_dir_all(folder);
        return;
    }
    if folder.join("index.html").is_file() {
        println!("cargo::rerun-if-changed={}", folder.display());
    } else {
        println!("cargo::error=the console is not built: run `make console` (it needs node and npm), then build again");
    }
}
