use std::fs;

use tests::{derived::root, fuzz::TARGETS};

/// Every input that is kept, those that libFuzzer found something with among them.
#[test]
fn whatever_was_read_once_is_read_again() {
    for (name, target) in TARGETS {
        let folder = root().join("tests/fuzz/corpus").join(name);
        let inputs = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut read = 0;
        for input in inputs {
            let path = input.unwrap().path();
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
            read += 1;
        }
        assert!(read > 0, "nothing is kept for {name}");
    }
}
