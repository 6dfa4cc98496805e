//! What the command line of a compile says: `uv pip compile`, `pip-compile` and our own. Runs nothing.

use super::Wanted;
use crate::resolve::choose::{Prereleases, Strategy};

/// Whose command line it is. Their output differs in details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tool {
    /// `pinguard lock`, which writes as uv does.
    #[default]
    Pinguard,
    /// `uv pip compile`.
    Uv,
    /// `pip-compile`.
    PipTools,
}

/// How it is noted who needs a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Annotations {
    /// Not at all.
    None,
    /// On the package's line.
    Line,
    /// One a line below it.
    Split,
}

/// What a command line asks for. `None` and empty: it says nothing of it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whose it is.
    pub tool: Tool,
    /// Input files.
    pub inputs: Vec<String>,
    /// The output file.
    pub output: Option<String>,
    /// Constraint files.
    pub constraints: Vec<String>,
    /// Override files.
    pub overrides: Vec<String>,
    /// Extras and groups.
    pub wanted: Wanted,
    /// Whether hashes are written.
    pub hashes: Option<bool>,
    /// Every platform.
    pub universal: bool,
    /// The Python.
    pub python: Option<String>,
    /// The platform.
    pub platform: Option<String>,
    /// The default index.
    pub index: Option<String>,
    /// Further indexes.
    pub extra_indexes: Vec<String>,
    /// No index at all.
    pub no_index: bool,
    /// The cutoff date.
    pub exclude_newer: Option<String>,
    /// Which end of ranges is taken.
    pub strategy: Strategy,
    /// What pre-releases are good for.
    pub prereleases: Option<Prereleases>,
    /// Whether source distributions count.
    pub no_build: bool,
    /// How notes are written.
    pub annotations: Option<Annotations>,
    /// Whether extras are written.
    pub extras_written: Option<bool>,
    /// Whether markers are written in one environment.
    pub markers_written: Option<bool>,
    /// Whether the header is left out.
    pub no_header: bool,
    /// Whether index lines are written.
    pub index_written: Option<bool>,
    /// Whether the index of each package is noted.
    pub index_noted: bool,
    /// Whether `pip`, `setuptools` and `distribute` are written by pip-compile.
    pub unsafe_allowed: Option<bool>,
    /// Packages that are left out.
    pub left_out: Vec<String>,
    /// Only what the inputs name, without what that needs.
    pub no_deps: bool,
    /// Words that change the output and are not known here.
    pub unknown: Vec<String>,
}

/// Reads a command line, the program's name included.
pub fn options(command: &str) -> Options {
    let words = split(command);
    let mut options = Options::default();
    let rest = if words.iter().any(|word| word == "pip-compile") || command.contains("piptools compile") {
        options.tool = Tool::PipTools;
        let at = words.iter().position(|word| word == "pip-compile" || word == "compile");
        &words[at.map_or(0, |at| at + 1)..]
    } else if let Some(at) = words.windows(2).position(|pair| pair[0] == "pip" && pair[1] == "compile") {
        options.tool = Tool::Uv;
        &words[at + 2..]
    } else {
        let at = words.iter().position(|word| word == "lock");
        &words[at.map_or(0, |at| at + 1)..]
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_string())),
            _ => (word.as_str(), None),
        };
        if !name.starts_with('-') || name == "-" {
            options.inputs.push(word.clone());
        } else if takes_value(name) {
            let value = inline.or_else(|| rest.next().cloned()).unwrap_or_default();
            options.valued(name, value);
        } else {
            options.plain(name);
        }
    }
    options
}

/// Words as a shell splits them; nothing is expanded.
fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn takes_value(name: &str) -> bool {
    const VALUED: [&str; 51] = [
        "-o",
        "--output-file",
        "-c",
        "--constraint",
        "--constraints",
        "--override",
        "--overrides",
        "--extra",
        "--group",
        "--only-group",
        "-p",
        "--python",
        "--python-version",
        "--python-platform",
        "--platform",
        "-i",
        "--index-url",
        "--default-index",
        "--extra-index-url",
        "--index",
        "-f",
        "--find-links",
        "--exclude-newer",
        "--resolution",
        "--prerelease",
        "--annotation-style",
        "--no-emit-package",
        "--unsafe-package",
        "--no-binary",
        "--only-binary",
        "--upgrade-package",
        "-P",
        "--resolver",
        "--custom-compile-command",
        "--build-constraint",
        "--build-constraints",
        "-b",
        "--cache-dir",
        "--format",
        "--pip-args",
        "--cert",
        "--client-cert",
        "--trusted-host",
        "--newline",
        "--index-strategy",
        "--keyring-provider",
        "--fork-strategy",
        "--config-file",
        "--config-setting",
        "--link-mode",
        "--exclude-newer-package",
    ];
    VALUED.contains(&name)
}

impl Options {
    fn valued(&mut self, name: &str, value: String) {
        match name {
            "-o" | "--output-file" => self.output = Some(value),
            "-c" | "--constraint" | "--constraints" => self.constraints.push(value),
            "--override" | "--overrides" => self.overrides.push(value),
            "--extra" => self.wanted.extras.extend(value.split(',').map(|one| one.trim().to_string())),
            "--group" | "--only-group" => self.wanted.groups.push(value),
            "-p" | "--python" | "--python-version" => self.python = Some(value),
            "--python-platform" | "--platform" => self.platform = Some(value),
            "-i" | "--index-url" | "--default-index" => self.index = Some(value),
            "--extra-index-url" | "--index" => self.extra_indexes.push(value),
            "--exclude-newer" => self.exclude_newer = Some(value),
            "--resolution" => {
                self.strategy = match value.as_str() {
                    "lowest" => Strategy::Lowest,
                    "lowest-direct" => Strategy::LowestDirect,
                    _ => Strategy::Highest,
                }
            }
            "--prerelease" => {
                self.prereleases = match value.as_str() {
                    "allow" => Some(Prereleases::Allowed),
                    "disallow" => Some(Prereleases::Never),
                    "explicit" => Some(Prereleases::Named),
                    _ => Some(Prereleases::WhenNeeded),
                }
            }
            "--annotation-style" => {
                self.annotations = Some(if value == "line" { Annotations::Line } else { Annotations::Split });
            }
            "--no-emit-package" | "--unsafe-package" => self.left_out.push(crate::ecosystems::pypi::normalize(&value)),
            "--only-binary" => self.no_build |= value == ":all:",
            "-f"
            | "--find-links"
            | "--pip-args"
            | "--index-strategy"
            | "--fork-strategy"
            | "--exclude-newer-package"
            | "--no-binary" => {
                self.unknown.push(format!("{name} {value}"));
            }
            _ => {}
        }
    }

    fn plain(&mut self, name: &str) {
        match name {
            "--generate-hashes" => self.hashes = Some(true),
            "--no-generate-hashes" | "--no-hashes" => self.hashes = Some(false),
            "--universal" => self.universal = true,
            "--all-extras" => self.wanted.all_extras = true,
            "--no-index" => self.no_index = true,
            "--pre" => self.prereleases = Some(Prereleases::Allowed),
            "--no-build" => self.no_build = true,
            "--no-annotate" => self.annotations = Some(Annotations::None),
            "--annotate" => self.annotations = Some(Annotations::Split),
            "--strip-extras" => self.extras_written = Some(false),
            "--no-strip-extras" => self.extras_written = Some(true),
            "--no-strip-markers" => self.markers_written = Some(true),
            "--no-header" => self.no_header = true,
            "--emit-index-url" => self.index_written = Some(true),
            "--no-emit-index-url" => self.index_written = Some(false),
            "--emit-index-annotation" => self.index_noted = true,
            "--allow-unsafe" => self.unsafe_allowed = Some(true),
            "--no-allow-unsafe" => self.unsafe_allowed = Some(false),
            "--no-deps" => self.no_deps = true,
            "--all-build-deps" | "--build-deps-for" | "--only-build-deps" => self.unknown.push(name.to_string()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_of_each_tool_are_read() {
        let read = options(
            "uv pip compile --universal --python-version=3.9 -c limits.txt a.in b.in -o out.txt --generate-hashes",
        );
        assert_eq!((read.tool, read.universal, read.python.as_deref()), (Tool::Uv, true, Some("3.9")));
        assert_eq!((read.inputs.len(), read.output.as_deref(), read.hashes), (2, Some("out.txt"), Some(true)));
        let read = options(
            "pip-compile --allow-unsafe --annotation-style=line --output-file='req/a b.txt' --strip-extras req/a.in",
        );
        assert_eq!((read.tool, read.unsafe_allowed, read.extras_written), (Tool::PipTools, Some(true), Some(false)));
        assert_eq!((read.annotations, read.output.as_deref()), (Some(Annotations::Line), Some("req/a b.txt")));
        let read = options("pinguard lock pyproject.toml --extra dev,docs --platform linux");
        assert_eq!((read.tool, read.wanted.extras.len(), read.platform.as_deref()), (Tool::Pinguard, 2, Some("linux")));
    }
}
