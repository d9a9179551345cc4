//! List importers: the first byte chooses the format. What is read is a version that reads back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_lists::import::{Format, Request, SourceFile, import};

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let format = Format::ALL[usize::from(*choice) % Format::ALL.len()];
    let names = ["sdn.csv", "list.xml", "list.json"];
    let Some(name) = names.into_iter().find(|name| format.takes(name)) else { return };
    let files = [SourceFile { name, bytes }];
    if let Ok(read) = import(&Request { format, source: None, encoding: None, files: &files }) {
        assert!(read.version.entries().iter().all(|e| e.names.iter().all(|n| !n.text.is_empty())));
    }
});
