//! Writes every derived file anew.

use std::{fs, io};

fn main() -> io::Result<()> {
    for (path, content) in tests::derived::files()? {
        fs::write(tests::derived::root().join(&path), content)?;
        println!("{}", path.display());
    }
    Ok(())
}
