//! Findings and references to bytes, one file per output. Writes only to the writer it was given; decides no level and reads no disk.

pub mod clean;
pub mod concise;
pub mod diff;
pub mod environment;
mod excerpt;
pub mod fixes;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod list;
pub mod mistakes;
pub mod moves;
pub mod online;
pub mod redact;
pub mod sarif;
pub mod summary;
mod view;

use crate::model::finding::Judged;
use crate::model::project::Project;
use crate::model::rule::Level;
use std::io;

/// Whether an output is coloured. The caller knows the terminal and `NO_COLOR`; a renderer does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// Text only.
    #[default]
    Plain,
    /// With terminal escapes of our own; those of files never pass.
    Styled,
}

/// One project and what was found in it.
#[derive(Clone, Copy)]
pub struct Root<'a> {
    /// What stands before its paths when several projects are reported in one run, with a closing `/`; else empty.
    pub prefix: &'a str,
    /// The project.
    pub project: &'a Project,
    /// What was found, in any order.
    pub findings: &'a [Judged],
}

/// What is reported: the same for every output.
pub struct Report<'a> {
    /// The projects, most often one.
    pub roots: Vec<Root<'a>>,
    /// The manual of a rule by its id, in Markdown; empty when there is none.
    pub manual: fn(&str) -> String,
    /// The lowest level that fails the gate.
    pub fail_on: Level,
    /// How many findings were suppressed by comments, configuration or a baseline.
    pub suppressed: usize,
    /// Colours of the human output.
    pub colour: Colour,
    /// What was fixed before, when that was asked for.
    pub fixes: Option<&'a fixes::Fixes>,
    /// What was asked online, when that was asked for.
    pub asked: Option<&'a online::Asked>,
}

impl<'a> Report<'a> {
    /// The report of one project without manuals and colours, failing from `warning` on.
    pub fn of(project: &'a Project, findings: &'a [Judged]) -> Report<'a> {
        Report {
            roots: vec![Root { prefix: "", project, findings }],
            manual: |_| String::new(),
            fail_on: Level::Warning,
            suppressed: 0,
            colour: Colour::Plain,
            fixes: None,
            asked: None,
        }
    }
}

/// The outputs of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// For people: source excerpts, reasons, help.
    #[default]
    Human,
    /// One line a finding.
    Concise,
    /// The frozen JSON of `docs`: everything.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub workflow commands.
    Github,
    /// GitLab Code Quality.
    Gitlab,
    /// JUnit XML.
    Junit,
}

impl Format {
    /// Every output, in the order of the documentation.
    pub const ALL: [Format; 7] =
        [Format::Human, Format::Concise, Format::Json, Format::Sarif, Format::Github, Format::Gitlab, Format::Junit];

    /// The word of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Concise => "concise",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Junit => "junit",
        }
    }

    /// The output with this name.
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Writes `report` in this form.
    pub fn write(self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Format::Human => human::write(report, out),
            Format::Concise => concise::write(report, out),
            Format::Json => json::write(report, out),
            Format::Sarif => sarif::write(report, out),
            Format::Github => github::write(report, out),
            Format::Gitlab => gitlab::write(report, out),
            Format::Junit => junit::write(report, out),
        }
    }
}

#[cfg(test)]
mod tests;
