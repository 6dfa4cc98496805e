//! `strategy.matrix`: the legs that a job is multiplied into (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax>).
//! Does not know what a value is used for.

use super::expression;
use crate::syntax::tree::Node;

/// One run of a job: names and the members of the matrix that it gets.
pub type Leg<'t> = Vec<(&'t str, Node<'t>)>;

/// What a job is multiplied by.
pub struct Matrix<'t> {
    /// The legs; a job without a matrix has one without names.
    pub legs: Vec<Leg<'t>>,
    /// How many legs there are; `None` when an expression decides.
    pub count: Option<usize>,
    /// Whether the names themselves are computed, so that any of them may exist.
    pub computed: bool,
}

/// GitHub refuses more.
const MAX_LEGS: usize = 256;

/// Reads `strategy.matrix`; `None`: the job has none.
pub fn read(matrix: Option<Node<'_>>) -> Matrix<'_> {
    let Some(matrix) = matrix.filter(|node| node.is_map()) else {
        let computed = matrix.is_some_and(|node| node.is_scalar());
        return Matrix { legs: vec![Vec::new()], count: (!computed).then_some(1), computed };
    };
    let axes: Vec<(&str, Node)> = matrix
        .entries()
        .filter_map(|(key, value)| Some((key.str()?, value)))
        .filter(|(name, _)| !matches!(*name, "include" | "exclude"))
        .take(MAX_LEGS)
        .collect();
    let mut legs = product(&axes);
    let excluded: Vec<Node> = matrix.get("exclude").into_iter().flat_map(Node::items).collect();
    legs.retain(|leg| !excluded.iter().any(|rule| fits(leg, *rule)));
    if axes.is_empty() {
        legs.clear();
    }
    for included in matrix.get("include").into_iter().flat_map(Node::items).take(MAX_LEGS) {
        include(&mut legs, axes.as_slice(), included);
    }
    let opaque = |node: &Node| node.str().is_some_and(expression::computes);
    let computed = ["include", "exclude"].iter().any(|key| matrix.get(key).is_some_and(|node| opaque(&node)));
    let open = computed || axes.iter().any(|(_, node)| opaque(node));
    let count = (!open).then_some(legs.len().max(1));
    if legs.is_empty() {
        legs.push(Vec::new());
    }
    Matrix { legs, count, computed }
}

fn members<'t>(axis: Node<'t>) -> Vec<Node<'t>> {
    if axis.is_seq() { axis.items().take(MAX_LEGS).collect() } else { vec![axis] }
}

/// Every combination. Where there are too many of them, as many legs as are needed for each member to occur once.
fn product<'t>(axes: &[(&'t str, Node<'t>)]) -> Vec<Leg<'t>> {
    let lists: Vec<Vec<Node>> = axes.iter().map(|(_, axis)| members(*axis)).collect();
    let total = lists.iter().fold(1_usize, |total, list| total.saturating_mul(list.len()));
    if total > MAX_LEGS {
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        let leg = |index: usize| axes.iter().zip(&lists).filter_map(move |((name, _), list)| {
            Some((*name, *list.get(index % list.len().max(1))?))
        });
        return (0..longest).map(|index| leg(index).collect()).collect();
    }
    let mut legs: Vec<Leg> = vec![Vec::new()];
    for ((name, _), list) in axes.iter().zip(&lists) {
        let longer = |leg: Leg<'t>| list.iter().map(move |member| [leg.as_slice(), &[(*name, *member)]].concat());
        legs = legs.into_iter().flat_map(longer).collect();
    }
    legs
}

/// Whether a leg has every value that an `exclude` names.
fn fits(leg: &Leg<'_>, rule: Node<'_>) -> bool {
    let mut entries = rule.entries().filter_map(|(key, value)| Some((key.str()?, value))).peekable();
    entries.peek().is_some()
        && entries.all(|(name, value)| leg.iter().any(|(other, member)| *other == name && same(*member, value, 0)))
}

/// An `include` widens every leg whose own values it does not change, or else is a leg of its own.
fn include<'t>(legs: &mut Vec<Leg<'t>>, axes: &[(&'t str, Node<'t>)], included: Node<'t>) {
    let entries: Leg<'t> = included.entries().filter_map(|(key, value)| Some((key.str()?, value))).collect();
    let is_axis = |name: &str| axes.iter().any(|(axis, _)| *axis == name);
    let mut added = false;
    // A leg that an earlier `include` made has no axes of its own to keep, but is not widened either.
    for leg in legs.iter_mut().filter(|leg| !leg.is_empty() && axes.iter().all(|(axis, _)| leg.iter().any(|(n, _)| n == axis))) {
        let changes = |(name, value): &(&str, Node)| {
            is_axis(name) && !leg.iter().any(|(other, member)| other == name && same(*member, *value, 0))
        };
        if axes.is_empty() || entries.iter().any(changes) {
            continue;
        }
        leg.retain(|(name, _)| is_axis(name) || !entries.iter().any(|(new, _)| new == name));
        leg.extend(entries.iter().filter(|(name, _)| !is_axis(name)));
        added = true;
    }
    if !added {
        legs.push(entries);
    }
}

fn same(a: Node<'_>, b: Node<'_>, depth: usize) -> bool {
    if depth > 8 || a.is_map() != b.is_map() || a.is_seq() != b.is_seq() {
        return false;
    }
    if a.is_seq() {
        return a.items().len() == b.items().len() && a.items().zip(b.items()).all(|(a, b)| same(a, b, depth + 1));
    }
    if a.is_map() {
        let within = |(key, value): (Node, Node)| {
            key.str().and_then(|name| b.get(name)).is_some_and(|other| same(value, other, depth + 1))
        };
        return a.entries().count() == b.entries().count() && a.entries().all(within);
    }
    a.str() == b.str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::span::SourceId;
    use crate::syntax::yaml;

    fn legs(text: &str) -> Vec<String> {
        let tree = yaml::parse(SourceId(0), text);
        let show = |leg: &Leg| leg.iter().map(|(n, v)| format!("{n}={}", v.str().unwrap())).collect::<Vec<_>>().join(" ");
        read(tree.root()).legs.iter().map(show).collect()
    }

    #[test]
    fn combinations_are_made_excluded_and_included() {
        let text = "os: [a, b]\nv: [1, 2]\nexclude:\n  - {os: a, v: 1}\ninclude:\n  - {os: b, v: 2, extra: x}\n  - {os: c, v: 9}\n";
        assert_eq!(legs(text), ["os=a v=2", "os=b v=1", "os=b v=2 extra=x", "os=c v=9"]);
    }

    #[test]
    fn a_matrix_of_includes_alone_has_a_leg_each() {
        assert_eq!(legs("include:\n  - {v: 1}\n  - {v: 2}\n"), ["v=1", "v=2"]);
    }

    #[test]
    fn too_many_legs_still_show_every_member() {
        let axis = |name: &str| format!("{name}: [{}]\n", (0..40).map(|n| n.to_string()).collect::<Vec<_>>().join(", "));
        assert_eq!(legs(&(axis("a") + &axis("b"))).len(), 40);
    }

    #[test]
    fn computed_matrices_cannot_be_counted() {
        let tree = yaml::parse(SourceId(0), "a: ${{ fromJSON(needs.x.outputs.y) }}\n");
        assert_eq!(read(tree.root()).count, None);
        assert_eq!(read(None).count, Some(1));
    }
}
