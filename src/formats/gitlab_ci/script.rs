//! Script lists: items of one list run in one shell, so they are read as one text.

use super::config::Layers;
use crate::model::span::Location;
use crate::model::text::{Mapped, Segment};
use crate::syntax::tree::Node;

/// The texts of a script, items joined by line ends; items of another file begin a new text.
pub fn texts(script: &Layers<'_, '_>) -> Vec<Mapped> {
    let mut texts: Vec<Mapped> = Vec::new();
    let one = script.first().filter(|node| node.is_scalar());
    for item in one.into_iter().chain(script.items().into_iter().filter(|_| one.is_none())) {
        let Some(item) = item_text(item) else { continue };
        match texts.last_mut().filter(|last| last.at.source == item.at.source) {
            Some(last) => append(last, item),
            None => texts.push(item),
        }
    }
    texts
}

/// An item is a text. `- echo "a: b"` without quotes around it is a mapping, which the server refuses.
fn item_text(item: Node<'_>) -> Option<Mapped> {
    item.mapped()
}

fn append(text: &mut Mapped, item: Mapped) {
    if !text.text.ends_with('\n') {
        text.text.push('\n');
    }
    let shift = text.text.len() as u32;
    text.segments.extend(item.segments.iter().map(|segment| Segment { from: segment.from + shift, ..*segment }));
    text.text.push_str(&item.text);
    text.at = Location::new(text.at.source, text.at.span.to(item.at.span));
}
