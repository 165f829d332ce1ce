//! What following references can come to: circles that never reach another value, recursion, and how much of a stack
//! and how many judgements one value takes.

use std::collections::BTreeSet;

use portcullis_config::{Diagnostics, code, pointer_child};

use super::arena::{Arena, Id, Node, Step};

/// So many schemas may be judged by within each other. Four times as many fit on the smallest stack that a module has, a
/// host's of 512 KiB, while it says of unions what is wrong.
const FRAMES: usize = 250;
/// No input is nested deeper: what reads it sees to that.
const DEEPEST_INPUT: usize = 128;
/// One value is judged by at most so many schemas.
const MOST_JUDGEMENTS: usize = 10_000;
/// A schema that judges its value by this many goes behind a gate.
const WIDE: usize = 5;

/// What was found of the nodes so far; nodes are only ever added.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// By how many schemas each node has its value judged, itself among them.
    judgements: Vec<usize>,
    /// Steps that go through a gate: they take of the budget.
    pub(super) gated: BTreeSet<(Id, Id)>,
    /// All nodes, each after those that judge its value for it.
    pub(super) order: Vec<Id>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Not,
    Open,
    Done,
}

impl Graph {
    /// Looks at the nodes that were added since; whether their schemas can be used.
    pub(super) fn extend(&mut self, arena: &Arena, diagnostics: &mut Diagnostics) -> bool {
        let first = self.judgements.len();
        self.judgements.resize(arena.nodes.len(), 1);
        let Some(order) = stays_finite(arena, first, diagnostics) else {
            return false;
        };
        for &id in &order {
            let stays = arena.children(id).iter().filter(|(step, _)| step.stays());
            let sum = stays.fold(1_usize, |sum, (_, child)| {
                sum.saturating_add(at(&self.judgements, *child))
            });
            set(&mut self.judgements, id, sum);
        }
        self.order.extend(order);
        // Where recursion comes back: every circle has such a step.
        walk(arena, first, |_| true, &mut |from, to| {
            self.gated.insert((from, to));
        });
        for id in first..arena.nodes.len() {
            for (step, child) in arena.children(id) {
                let wide = !step.stays() && at(&self.judgements, *child) >= WIDE;
                if wide && !self.is_gate(arena, *child) {
                    self.gated.insert((id, *child));
                }
            }
        }
        self.is_narrow(arena, first, diagnostics)
    }

    /// How deep an input of a schema may be nested so that the engine cannot run out of stack; `None` is any.
    ///
    /// # Errors
    /// If there is not enough even for a value that holds none.
    pub(super) fn deepest(&self, arena: &Arena, root: Id) -> Result<Option<usize>, ()> {
        let reached = reached(arena, root);
        let order = self.order.iter().filter(|id| reached.contains(id));
        let mut frames: Vec<usize> = vec![0; arena.nodes.len()];
        for depth in 0..=DEEPEST_INPUT {
            let shallower = frames.clone();
            for &id in order.clone() {
                let below = |(step, child): &(Step, Id)| match step.stays() {
                    true => at(&frames, *child),
                    false if depth == 0 => 0,
                    false => at(&shallower, *child),
                };
                let most = arena.children(id).iter().map(below).max();
                let reference = arena.node(id).and_then(Node::only_reference);
                let own = usize::from(reference.is_none());
                set(&mut frames, id, own + most.unwrap_or(0));
            }
            if at(&frames, root) > FRAMES {
                return depth.checked_sub(1).map(Some).ok_or(());
            }
            if frames == shallower {
                break;
            }
        }
        Ok(None)
    }

    /// Whether a schema is nothing but a reference that goes through a gate.
    fn is_gate(&self, arena: &Arena, id: Id) -> bool {
        let reference = arena.node(id).and_then(Node::only_reference);
        reference.is_some_and(|to| self.gated.contains(&(id, to)))
    }

    fn is_narrow(&self, arena: &Arena, first: Id, diagnostics: &mut Diagnostics) -> bool {
        let wide = (first..arena.nodes.len())
            .find(|id| at(&self.judgements, *id) > MOST_JUDGEMENTS)
            .and_then(|id| arena.node(id));
        let Some(node) = wide else {
            return true;
        };
        diagnostics.error(
            code::SCHEMA_SIZE,
            &node.pointer,
            format!("one value would be judged by more than {MOST_JUDGEMENTS} schemas"),
            Some("refer to each alternative once".to_owned()),
        );
        false
    }
}

fn at(list: &[usize], id: Id) -> usize {
    list.get(id).copied().unwrap_or_default()
}

fn set(list: &mut [usize], id: Id, value: usize) {
    if let Some(place) = list.get_mut(id) {
        *place = value;
    }
}

/// The nodes that a schema comes to.
pub(super) fn reached(arena: &Arena, root: Id) -> BTreeSet<Id> {
    let mut reached = BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(arena.children(id).iter().map(|(_, child)| *child));
        }
    }
    reached
}

/// Says of every step that closes a circle without leaving its value that it does. Without one, the nodes in an order in
/// which each comes after those that judge its value.
fn stays_finite(arena: &Arena, first: Id, diagnostics: &mut Diagnostics) -> Option<Vec<Id>> {
    let mut finite = true;
    let order = walk(arena, first, Step::stays, &mut |from, _| {
        finite = false;
        let pointer = arena.node(from).map_or("", |node| &node.pointer);
        diagnostics.error(
            code::SCHEMA_REF_CYCLE,
            pointer_child(pointer, "$ref"),
            "the schema refers to itself before it comes to another value",
            Some("a recursive schema refers to itself from a member or an item".to_owned()),
        );
    });
    finite.then_some(order)
}

/// Walks all nodes from `first` depth first and gives them in the order in which they were left; tells of steps to a node
/// that is still open. Without a stack of calls: a chain of references may be as long as the policy.
fn walk(
    arena: &Arena,
    first: Id,
    follow: impl Fn(&Step) -> bool,
    back: &mut dyn FnMut(Id, Id),
) -> Vec<Id> {
    let mut seen = vec![Seen::Done; first];
    seen.resize(arena.nodes.len(), Seen::Not);
    let mut left = Vec::new();
    let mut stack: Vec<(Id, usize)> = Vec::new();
    for root in first..arena.nodes.len() {
        enter(root, &mut seen, &mut stack);
        while let Some((id, next)) = stack.last_mut() {
            let id = *id;
            let Some((step, child)) = arena.children(id).get(*next) else {
                if let Some(seen) = seen.get_mut(id) {
                    *seen = Seen::Done;
                }
                left.push(id);
                stack.pop();
                continue;
            };
            *next += 1;
            let known = !follow(step) || enter(*child, &mut seen, &mut stack);
            if !known && seen.get(*child) == Some(&Seen::Open) {
                back(id, *child);
            }
        }
    }
    left
}

fn enter(id: Id, seen: &mut [Seen], stack: &mut Vec<(Id, usize)>) -> bool {
    match seen.get_mut(id) {
        Some(state @ Seen::Not) => {
            *state = Seen::Open;
            stack.push((id, 0));
            true
        }
        _ => false,
    }
}
