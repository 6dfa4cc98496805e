//! Python scripts that print their whole environment. Reads nothing else of them, and only files that a job may call.

use super::{Claim, Format};
use crate::model::facts::Facts;
use crate::model::script::{Language, Shell};
use crate::model::source::{Source, Sources};
use crate::model::text::Mapped;
use crate::tools::{self, python_dump};

/// The format.
pub static FORMAT: Format = Format { name: "python script", claims, sniff, read };

/// Folders of scripts; elsewhere only files near the root are opened, because most Python files are a package's.
const FOLDERS: [&str; 9] = ["scripts", "script", "tools", "bin", "ci", ".ci", "dev", ".github", "utils"];

fn claims(path: &str) -> Claim {
    let depth = path.matches('/').count();
    let known = || path.split('/').any(|part| FOLDERS.contains(&part));
    if path.ends_with(".py") && (depth <= 1 || known()) { Claim::Maybe } else { Claim::No }
}

fn sniff(text: &str) -> bool {
    text.contains("environ") && python_dump::find(text).is_some()
}

fn read(source: &Source, _: &Sources, facts: &mut Facts) {
    let shell = Shell { language: Language::Python, ..Shell::PLAIN };
    let start = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
    let text = Mapped::verbatim(&source.text[start..], source.id, start);
    let script = tools::read_script(&text, shell, "", "script", facts);
    facts.scripts.push((source.file_name().to_string(), script));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::facts_of;
    use crate::model::script::Deed;

    #[test]
    fn only_scripts_that_print_all_are_read() {
        let text = "import os\n\nprint(dict(os.environ))\n";
        assert!(sniff(text) && !sniff("import os\nprint(os.environ['A'])\n"));
        assert_eq!((claims("ci/x.py"), claims("src/a/b/c.py")), (Claim::Maybe, Claim::No));
        let facts = facts_of(&FORMAT, "ci/x.py", text);
        let command = &facts.scripts[0].1.commands[0];
        assert!(matches!(command.deeds[0], Deed::Dump(_)));
        assert_eq!(&text[command.at.span.range()], "print(dict(os.environ))");
    }
}
