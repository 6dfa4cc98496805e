//! Images of jobs and services, with variables replaced by what the file says they are.

use super::variables::{Known, name_of};
use crate::ecosystems::{oci, variable};
use crate::model::pin::Strength;
use crate::model::reference::{Origin, Reference, Role, Site, Slot};
use crate::model::text::Text;
use std::ops::Range;

/// How many images one text may stand for.
const MAX_IMAGES: usize = 64;
/// How deep variables may name each other.
const MAX_DEPTH: usize = 4;
/// How long an image with its variables replaced may be; longer ones are taken as they are written.
const MAX_LENGTH: usize = 512;
/// How many variables a text may hold; a text with more is taken as it is written.
const MAX_VARIABLES: usize = 8;

/// The images that a text may stand for. A version that stands in a variable has its slot there.
pub fn images(text: &Text, known: &Known<'_>, role: Role, key: &str) -> Vec<Reference> {
    expand(&without_proxy(text), known, MAX_DEPTH).iter().filter_map(|image| image.reference(role, key)).collect()
}

/// The dependency proxy hands out Docker Hub's images under their own names.
/// <https://docs.gitlab.com/user/packages/dependency_proxy/>
fn without_proxy(text: &Text) -> Text {
    let (first, rest) = text.text.split_once('/').unwrap_or(("", &text.text));
    if !name_of(first).is_some_and(|name| name.starts_with("CI_DEPENDENCY_PROXY_")) {
        return text.clone();
    }
    let part = text.text.len() - rest.len()..text.text.len();
    Text { text: rest.to_string(), at: text.place(part), verbatim: text.verbatim }
}

/// A text with its variables replaced.
struct Image {
    written: Text,
    /// What it says with all known variables replaced.
    says: String,
    /// Variables that were replaced: their places in `written`, and the values' texts.
    replaced: Vec<(Range<usize>, Text)>,
}

impl Image {
    fn reference(&self, role: Role, key: &str) -> Option<Reference> {
        let mut reference = self.read(role, key)?;
        if reference.pin.version.as_deref().is_some_and(is_of_this_run) {
            // An earlier job of this pipeline built it from this commit.
            reference.origin = Origin::Local;
            reference.strength = Some(Strength::Immutable);
        }
        Some(reference)
    }

    fn read(&self, role: Role, key: &str) -> Option<Reference> {
        if self.replaced.is_empty() {
            return oci::image(&self.written, role, key);
        }
        let says = Text { text: self.says.clone(), at: self.written.at, verbatim: false };
        let mut reference = oci::image(&says, role, key)?;
        // Where parts are written apart, the text as written tells where a digest goes.
        let written = oci::image(&self.written, role, key).map(|written| written.site);
        let digest = written.as_ref().and_then(|site| site.digest);
        let version = written.as_ref().and_then(|site| site.version).or_else(|| self.version());
        reference.site = Site { version, digest, ..reference.site };
        Some(reference)
    }

    /// The slot of a tag that is one variable and nothing else.
    fn version(&self) -> Option<Slot> {
        let text = &self.written.text;
        let is_tag = |part: &Range<usize>| text[..part.start].ends_with(':') && (part.end == text.len() || text[part.end..].starts_with('@'));
        let (_, value) = self.replaced.iter().find(|(part, _)| is_tag(part))?;
        (value.verbatim && !oci::is_variable(&value.text)).then_some(Slot { at: value.at, lead: "" })
    }
}

/// Whether a tag names the commit or the pipeline that runs.
/// <https://docs.gitlab.com/ci/variables/predefined_variables/>
fn is_of_this_run(tag: &str) -> bool {
    const NAMES: [&str; 5] = ["CI_COMMIT_SHA", "CI_COMMIT_SHORT_SHA", "CI_PIPELINE_ID", "CI_PIPELINE_IID", "CI_JOB_ID"];
    variable::find(tag).iter().filter_map(|variable| name_of(&tag[variable.at.clone()])).any(|name| NAMES.contains(&name))
}

fn expand(text: &Text, known: &Known<'_>, depth: usize) -> Vec<Image> {
    if let Some(values) = name_of(&text.text).map(|name| known.values(name)).filter(|values| !values.is_empty() && depth > 0) {
        return values.iter().flat_map(|value| expand(value, known, depth - 1)).take(MAX_IMAGES).collect();
    }
    let mut images = vec![Image { written: text.clone(), says: String::new(), replaced: Vec::new() }];
    let mut done = 0;
    let variables = variable::find(&text.text);
    for variable in variables.into_iter().filter(|_| depth > 0).take(MAX_VARIABLES) {
        let between = &text.text[done..variable.at.start];
        images.iter_mut().for_each(|image| image.says.push_str(between));
        done = variable.at.end;
        let written = &text.text[variable.at.clone()];
        let values = name_of(written).map(|name| known.values(name)).filter(|_| depth > 0).unwrap_or_default();
        images = images.iter().flat_map(|image| image.with(&variable.at, &values, known, depth)).take(MAX_IMAGES).collect();
    }
    images.iter_mut().for_each(|image| image.says.push_str(&text.text[done..]));
    images
}

impl Image {
    /// This image with each value of a variable; with the variable itself when nothing is known of it.
    fn with(&self, part: &Range<usize>, values: &[Text], known: &Known<'_>, depth: usize) -> Vec<Image> {
        let copy = |says: &str| Image { written: self.written.clone(), says: format!("{}{says}", self.says), replaced: self.replaced.clone() };
        if values.is_empty() {
            return vec![copy(&self.written.text[part.clone()])];
        }
        let mut images = Vec::new();
        for value in values {
            if self.says.len() > MAX_LENGTH {
                return vec![copy(&self.written.text[part.clone()])];
            }
            for inner in expand(value, known, depth - 1) {
                let says = if inner.says.is_empty() { &inner.written.text } else { &inner.says };
                let mut image = copy(says);
                image.replaced.push((part.clone(), value.clone()));
                images.push(image);
            }
        }
        images
    }
}
