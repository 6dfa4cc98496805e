//! Script lists: items of one list run in one shell, so they are read as one text.

use super::config::Layers;
use crate::model::text::Mapped;
use crate::syntax::tree::Node;

/// The texts of a script, items joined by line ends; items of another file begin a new text.
pub fn texts(script: &Layers<'_, '_>) -> Vec<Mapped> {
    let mut texts: Vec<Mapped> = Vec::new();
    let one = script.first().filter(|node| node.is_scalar());
    for item in one.into_iter().chain(script.items().into_iter().filter(|_| one.is_none())) {
        let Some(item) = item_text(item) else { continue };
        match texts.last_mut().filter(|last| last.at.source == item.at.source) {
            Some(last) => last.append_line(&item),
            None => texts.push(item),
        }
    }
    texts
}

/// An item is a text. `- echo "a: b"` without quotes around it is a mapping, which the server refuses.
fn item_text(item: Node<'_>) -> Option<Mapped> {
    item.mapped()
}
