//! The report: a Markdown document with a marked section for each part, replaced by each run that
//! measures it.

use std::{fs, io};

use crate::{Args, Result};

/// Prints a part's section and, if there is a report file, writes it there.
pub(crate) fn write(args: &Args, part: &str, section: &str) -> Result<()> {
    println!("{section}");
    let Some(path) = &args.report else {
        return Ok(());
    };
    let old = match fs::read_to_string(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    fs::write(path, replaced(&old, part, &format!("{}\n\n{section}", circumstances())))?;
    Ok(())
}

/// Returns a document with a part's section replaced, or appended if there is none yet.
fn replaced(document: &str, part: &str, section: &str) -> String {
    let (begin, end) = (format!("<!-- bench:{part} -->"), format!("<!-- /bench:{part} -->"));
    let marked = format!("{begin}\n\n{}\n\n{end}", section.trim());
    let before = document.split_once(&begin).map(|(before, _)| before);
    let after = document.split_once(&end).map(|(_, after)| after);
    match before.zip(after) {
        Some((before, after)) => format!("{before}{marked}{after}"),
        None => format!("{}\n\n{marked}\n", document.trim_end()).trim_start().to_owned(),
    }
}

/// Returns the date and the machine of the measurement.
fn circumstances() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("processor unknown", |line| line.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    format!("Measured on {day}: {cores} cores ({model}), Linux {}.", kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_own_only() {
        let old = "# Title\n\n<!-- bench:a -->\nold a\n<!-- /bench:a -->\n\ntext\n\n<!-- bench:b -->\nold b\n<!-- /bench:b -->\n";
        let new = replaced(old, "a", "new a\n");
        assert_eq!(
            new,
            "# Title\n\n<!-- bench:a -->\n\nnew a\n\n<!-- /bench:a -->\n\ntext\n\n<!-- bench:b -->\nold b\n<!-- /bench:b -->\n"
        );
        assert_eq!(replaced(&new, "a", "new a"), new, "a second run changes nothing else");
    }

    #[test]
    fn a_section_that_is_not_there_is_appended() {
        assert_eq!(replaced("", "a", "x"), "<!-- bench:a -->\n\nx\n\n<!-- /bench:a -->\n");
        assert!(replaced("# Title\n", "a", "x").starts_with("# Title\n\n<!-- bench:a -->"));
    }
}
