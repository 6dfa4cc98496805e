//! Markers as text, in uv's spelling. A decision tree has one text for each order of its variables: uv asks for strings first, the tree
//! at hand for versions, so the tree is walked in uv's order here.

use pep440_rs::{Version, VersionSpecifier};
use pep508_rs::marker::{ExtraOperator, MarkerOperator, MarkerValueExtra, MarkerValueString, MarkerValueVersion};
use pep508_rs::{MarkerExpression, MarkerTree, MarkerTreeKind};
use pubgrub::Ranges;
use std::collections::BTreeSet;
use std::ops::Bound;

type Clause = Vec<MarkerExpression>;

/// A question that a tree asks, in uv's order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Text(u8, MarkerValueString),
    Version(MarkerValueVersion),
    In(u8, MarkerValueString, String),
    Contains(u8, MarkerValueString, String),
    Extra(MarkerValueExtra),
}

/// A part of the answers to a question that no node of the tree divides further.
#[derive(Debug, Clone)]
enum Part {
    Text(Ranges<String>),
    Version(Ranges<Version>),
    Bool(bool),
}

/// The clauses of a marker, as uv writes them.
pub(super) fn clauses(tree: &MarkerTree) -> Vec<Clause> {
    let mut clauses = Vec::new();
    walk(tree, &mut clauses, &mut Vec::new());
    without_redundancy(&mut clauses);
    for clause in &mut clauses {
        clause.sort_by_key(kind);
    }
    clauses.sort_by(|a, b| a.iter().map(kind).cmp(b.iter().map(kind)));
    clauses
}

fn walk(tree: &MarkerTree, clauses: &mut Vec<Clause>, path: &mut Clause) {
    if tree.is_false() {
        return;
    }
    if tree.is_true() {
        if !path.is_empty() {
            clauses.push(path.clone());
        }
        return;
    }
    let mut questions = BTreeSet::new();
    ask(tree, &mut questions);
    let Some(question) = questions.first() else { return };
    for (child, answers) in children(tree, question) {
        for expressions in spell(question, &answers) {
            let before = path.len();
            path.extend(expressions);
            walk(&child, clauses, path);
            path.truncate(before);
        }
    }
}

/// The subtrees for each part of the answers, those of one subtree joined.
fn children(tree: &MarkerTree, question: &Question) -> Vec<(MarkerTree, Part)> {
    let mut out: Vec<(MarkerTree, Part)> = Vec::new();
    for part in parts(tree, question) {
        let child = answered(tree, question, &part);
        match out.iter_mut().find(|(known, _)| *known == child) {
            Some((_, all)) => all.join(&part),
            None => out.push((child, part)),
        }
    }
    out
}

impl Part {
    fn join(&mut self, other: &Part) {
        match (self, other) {
            (Part::Text(all), Part::Text(more)) => *all = all.union(more),
            (Part::Version(all), Part::Version(more)) => *all = all.union(more),
            _ => {}
        }
    }
}

fn text_rank(key: &MarkerValueString) -> u8 {
    match key {
        MarkerValueString::OsName | MarkerValueString::OsNameDeprecated => 0,
        MarkerValueString::SysPlatform | MarkerValueString::SysPlatformDeprecated => 1,
        MarkerValueString::PlatformSystem => 2,
        MarkerValueString::PlatformMachine | MarkerValueString::PlatformMachineDeprecated => 3,
        MarkerValueString::PlatformRelease => 5,
        MarkerValueString::PlatformVersion | MarkerValueString::PlatformVersionDeprecated => 6,
        MarkerValueString::ImplementationName => 7,
        _ => 4,
    }
}

fn question_of(tree: &MarkerTree) -> Option<Question> {
    Some(match tree.kind() {
        MarkerTreeKind::True | MarkerTreeKind::False => return None,
        MarkerTreeKind::Version(node) => Question::Version(node.key().clone()),
        MarkerTreeKind::String(node) => Question::Text(text_rank(node.key()), node.key().clone()),
        MarkerTreeKind::In(node) => Question::In(text_rank(node.key()), node.key().clone(), node.value().to_string()),
        MarkerTreeKind::Contains(node) => {
            Question::Contains(text_rank(node.key()), node.key().clone(), node.value().to_string())
        }
        MarkerTreeKind::Extra(node) => Question::Extra(node.name().clone()),
    })
}

fn below(tree: &MarkerTree) -> Vec<MarkerTree> {
    match tree.kind() {
        MarkerTreeKind::True | MarkerTreeKind::False => Vec::new(),
        MarkerTreeKind::Version(node) => node.edges().map(|(_, child)| child).collect(),
        MarkerTreeKind::String(node) => node.children().map(|(_, child)| child).collect(),
        MarkerTreeKind::In(node) => node.children().map(|(_, child)| child).collect(),
        MarkerTreeKind::Contains(node) => node.children().map(|(_, child)| child).collect(),
        MarkerTreeKind::Extra(node) => node.children().map(|(_, child)| child).collect(),
    }
}

fn ask(tree: &MarkerTree, questions: &mut BTreeSet<Question>) {
    if let Some(question) = question_of(tree) {
        questions.insert(question);
    }
    for child in below(tree) {
        ask(&child, questions);
    }
}

/// Divides the answers to a question by every edge that asks it.
fn parts(tree: &MarkerTree, question: &Question) -> Vec<Part> {
    match question {
        Question::Text(..) => {
            let mut all = vec![Ranges::full()];
            text_edges(tree, question, &mut |edge| divide(&mut all, edge));
            all.sort_by_key(|part| part.bounding_range().map(|(lower, _)| bound_key(lower)));
            all.into_iter().map(Part::Text).collect()
        }
        Question::Version(_) => {
            let mut all = vec![Ranges::full()];
            version_edges(tree, question, &mut |edge| divide(&mut all, edge));
            all.sort_by_key(|part| part.bounding_range().map(|(lower, _)| bound_key(lower)));
            all.into_iter().map(Part::Version).collect()
        }
        Question::In(..) | Question::Contains(..) | Question::Extra(_) => vec![Part::Bool(true), Part::Bool(false)],
    }
}

fn bound_key<T: Clone + Ord>(bound: Bound<&T>) -> (Option<T>, u8) {
    match bound {
        Bound::Unbounded => (None, 0),
        Bound::Included(value) => (Some(value.clone()), 0),
        Bound::Excluded(value) => (Some(value.clone()), 1),
    }
}

fn divide<T: Ord + Clone + std::fmt::Debug + std::fmt::Display>(all: &mut Vec<Ranges<T>>, edge: &Ranges<T>) {
    let halves = |part: Ranges<T>| [part.intersection(edge), part.intersection(&edge.complement())];
    let divided: Vec<Ranges<T>> = std::mem::take(all).into_iter().flat_map(halves).collect();
    // Each part is one stretch, so that parts of one subtree join as they lie side by side.
    let stretches = divided.into_iter().flat_map(|part| {
        let bounds: Vec<_> = part.iter().map(|(lower, upper)| (lower.cloned(), upper.cloned())).collect();
        bounds.into_iter().map(|bounds| Ranges::from_range_bounds::<(Bound<T>, Bound<T>), T>(bounds))
    });
    all.extend(stretches);
}

fn text_edges(tree: &MarkerTree, question: &Question, take: &mut dyn FnMut(&Ranges<String>)) {
    if let (MarkerTreeKind::String(node), true) = (tree.kind(), question_of(tree).as_ref() == Some(question)) {
        for (edge, _) in node.children() {
            take(&edge.iter().map(|(lower, upper)| (lower.clone(), upper.clone())).collect());
        }
    }
    below(tree).iter().for_each(|child| text_edges(child, question, take));
}

fn version_edges(tree: &MarkerTree, question: &Question, take: &mut dyn FnMut(&Ranges<Version>)) {
    if let (MarkerTreeKind::Version(node), true) = (tree.kind(), question_of(tree).as_ref() == Some(question)) {
        for (edge, _) in node.edges() {
            take(&edge.iter().map(|(lower, upper)| (lower.clone(), upper.clone())).collect());
        }
    }
    below(tree).iter().for_each(|child| version_edges(child, question, take));
}

/// The tree when the answer to a question lies in a part.
fn answered(tree: &MarkerTree, question: &Question, part: &Part) -> MarkerTree {
    if tree.is_true() || tree.is_false() {
        return tree.clone();
    }
    if question_of(tree).as_ref() == Some(question) {
        let child = match (tree.kind(), part) {
            (MarkerTreeKind::Version(node), Part::Version(part)) => node.edges().find_map(|(edge, child)| {
                let edge: Ranges<Version> = edge.iter().map(|(lower, upper)| (lower.clone(), upper.clone())).collect();
                part.subset_of(&edge).then_some(child)
            }),
            (MarkerTreeKind::String(node), Part::Text(part)) => node.children().find_map(|(edge, child)| {
                let edge: Ranges<String> = edge.iter().map(|(lower, upper)| (lower.clone(), upper.clone())).collect();
                part.subset_of(&edge).then_some(child)
            }),
            (MarkerTreeKind::In(node), Part::Bool(value)) => Some(node.edge(*value)),
            (MarkerTreeKind::Contains(node), Part::Bool(value)) => Some(node.edge(*value)),
            (MarkerTreeKind::Extra(node), Part::Bool(value)) => Some(node.edge(*value)),
            _ => None,
        };
        return child.map_or(MarkerTree::FALSE, |child| answered(&child, question, part));
    }
    super::rebuilt(tree, &|child| answered(child, question, part))
}

/// The ways to write a part of the answers; each is a conjunction.
fn spell(question: &Question, part: &Part) -> Vec<Clause> {
    match (question, part) {
        (Question::Text(_, key), Part::Text(range)) => spell_text(key, range),
        (Question::Version(key), Part::Version(range)) => spell_version(key, range),
        (Question::In(_, key, value), Part::Bool(yes)) => {
            let operator = if *yes { MarkerOperator::In } else { MarkerOperator::NotIn };
            vec![vec![MarkerExpression::String { key: key.clone(), operator, value: value.clone() }]]
        }
        (Question::Contains(_, key, value), Part::Bool(yes)) => {
            let operator = if *yes { MarkerOperator::Contains } else { MarkerOperator::NotContains };
            vec![vec![MarkerExpression::String { key: key.clone(), operator, value: value.clone() }]]
        }
        (Question::Extra(name), Part::Bool(yes)) => {
            let operator = if *yes { ExtraOperator::Equal } else { ExtraOperator::NotEqual };
            vec![vec![MarkerExpression::Extra { operator, name: name.clone() }]]
        }
        _ => Vec::new(),
    }
}

fn spell_text(key: &MarkerValueString, range: &Ranges<String>) -> Vec<Clause> {
    let one = |operator: MarkerOperator, value: String| MarkerExpression::String { key: key.clone(), operator, value };
    if let Some(holes) = holes(range) {
        return vec![holes.into_iter().map(|value| one(MarkerOperator::NotEqual, value)).collect()];
    }
    let segment = |(lower, upper): (Bound<&String>, Bound<&String>)| -> Clause {
        if let (Bound::Included(a), Bound::Included(b)) = (lower, upper)
            && a == b
        {
            return vec![one(MarkerOperator::Equal, a.clone())];
        }
        let ends =
            [MarkerOperator::from_lower_bound(&lower.cloned()), MarkerOperator::from_upper_bound(&upper.cloned())];
        ends.into_iter().flatten().map(|(operator, value)| one(operator, value)).collect()
    };
    range.iter().map(segment).collect()
}

fn spell_version(key: &MarkerValueVersion, range: &Ranges<Version>) -> Vec<Clause> {
    let one = |specifier: VersionSpecifier| MarkerExpression::Version { key: key.clone(), specifier };
    if let Some(holes) = holes(range) {
        return vec![holes.into_iter().map(|version| one(VersionSpecifier::not_equals_version(version))).collect()];
    }
    if let Some(specifier) = star_hole(range) {
        return vec![vec![one(specifier)]];
    }
    let segment = |(lower, upper): (Bound<&Version>, Bound<&Version>)| -> Clause {
        VersionSpecifier::from_release_only_bounds((&lower.cloned(), &upper.cloned())).map(one).collect()
    };
    range.iter().map(segment).collect()
}

/// The values that are missing in otherwise everything.
fn holes<T: Ord + Clone>(range: &Ranges<T>) -> Option<Vec<T>> {
    let segments: Vec<_> = range.iter().collect();
    let whole =
        matches!((segments.first(), segments.last()), (Some((Bound::Unbounded, _)), Some((_, Bound::Unbounded))));
    if segments.len() < 2 || !whole {
        return None;
    }
    segments
        .windows(2)
        .map(|pair| match (pair[0].1, pair[1].0) {
            (Bound::Excluded(a), Bound::Excluded(b)) if a == b => Some(a.clone()),
            _ => None,
        })
        .collect()
}

/// `!= 3.1.*` for everything but a minor version.
fn star_hole(range: &Ranges<Version>) -> Option<VersionSpecifier> {
    let segments: Vec<_> = range.iter().collect();
    let [(Bound::Unbounded, Bound::Excluded(a)), (Bound::Included(b), Bound::Unbounded)] = segments[..] else {
        return None;
    };
    match (a.release(), b.release()) {
        ([major, minor], [next_major, next_minor]) if major == next_major && minor + 1 == *next_minor => {
            Some(VersionSpecifier::not_equals_star_version(a.clone()))
        }
        ([major], [next, 1]) if major == next => {
            Some(VersionSpecifier::not_equals_star_version(Version::new([*major, 0])))
        }
        _ => None,
    }
}

/// Leaves out terms and clauses that others make needless: `A or (not A and B)` is `A or B`.
fn without_redundancy(clauses: &mut Vec<Clause>) {
    for at in 0..clauses.len() {
        let clause = &clauses[at];
        let mut needless: Vec<usize> = Vec::new();
        for (skipped, term) in clause.iter().enumerate() {
            let covers = |other: &Clause| {
                other.iter().all(|one| {
                    one != term
                        && (is_negation(one, term)
                            || clause.iter().position(|own| own == one).is_some_and(|own| !needless.contains(&own)))
                })
            };
            if clauses.iter().enumerate().any(|(other_at, other)| other_at != at && covers(other)) {
                needless.push(skipped);
            }
        }
        for term in needless.into_iter().rev() {
            clauses[at].remove(term);
        }
    }
    let mut needless: Vec<usize> = Vec::new();
    for at in 0..clauses.len() {
        let covered = clauses.iter().enumerate().any(|(other_at, other)| {
            other_at != at && !needless.contains(&other_at) && other.iter().all(|term| clauses[at].contains(term))
        });
        if covered {
            needless.push(at);
        }
    }
    for at in needless.into_iter().rev() {
        clauses.remove(at);
    }
}

fn is_negation(a: &MarkerExpression, b: &MarkerExpression) -> bool {
    let tree = |one: &MarkerExpression| MarkerTree::expression(one.clone());
    let same_key = match (a, b) {
        (MarkerExpression::Version { key: a, .. }, MarkerExpression::Version { key: b, .. }) => a == b,
        (MarkerExpression::String { key: a, .. }, MarkerExpression::String { key: b, .. }) => a == b,
        (MarkerExpression::Extra { name: a, .. }, MarkerExpression::Extra { name: b, .. }) => a == b,
        _ => false,
    };
    same_key && tree(a) == tree(b).negate()
}

/// Versions stand before strings before extras, each kind in alphabetical order.
fn kind(expression: &MarkerExpression) -> (u8, u8) {
    match expression {
        MarkerExpression::Version { key, .. } => (0, version_rank(key)),
        MarkerExpression::VersionIn { key, .. } => (1, version_rank(key)),
        MarkerExpression::String { key, .. } => (2, alphabetical(key)),
        MarkerExpression::Extra { .. } => (3, 0),
    }
}

fn version_rank(key: &MarkerValueVersion) -> u8 {
    match key {
        MarkerValueVersion::ImplementationVersion => 0,
        MarkerValueVersion::PythonFullVersion => 1,
        MarkerValueVersion::PythonVersion => 2,
    }
}

fn alphabetical(key: &MarkerValueString) -> u8 {
    match key {
        MarkerValueString::ImplementationName => 0,
        MarkerValueString::OsName | MarkerValueString::OsNameDeprecated => 1,
        MarkerValueString::PlatformMachine | MarkerValueString::PlatformMachineDeprecated => 2,
        MarkerValueString::PlatformPythonImplementation
        | MarkerValueString::PlatformPythonImplementationDeprecated
        | MarkerValueString::PythonImplementationDeprecated => 3,
        MarkerValueString::PlatformRelease => 4,
        MarkerValueString::PlatformSystem => 5,
        MarkerValueString::PlatformVersion | MarkerValueString::PlatformVersionDeprecated => 6,
        MarkerValueString::SysPlatform | MarkerValueString::SysPlatformDeprecated => 7,
    }
}
