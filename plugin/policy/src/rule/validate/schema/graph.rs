//! What following references can come to: circles that never reach another value, recursion, and how much of a stack
//! and how many judgements one value takes.

use std::collections::BTreeSet;

use portcullis_config::{Diagnostics, code, pointer_child};

use super::arena::{Arena, Id, Step};

/// The engine's calls that fit the smallest stack that hosts give a module (512 KiB), with room to spare.
const FRAMES: usize = 400;
/// Calls that a gate adds to a step.
const GATE_FRAMES: usize = 4;
/// One value is judged by at most so many schemas.
const MOST_JUDGEMENTS: usize = 10_000;
/// A schema that judges its value by this many goes behind a gate.
const WIDE: usize = 5;

/// What was found of the nodes so far; nodes are only ever added.
#[derive(Debug, Default)]
pub(super) struct Graph {
    measures: Vec<Measure>,
    /// Steps that go through a gate.
    pub(super) gated: BTreeSet<(Id, Id)>,
    recursive: bool,
}

#[derive(Clone, Copy, Debug)]
struct Measure {
    /// Schemas that judge the same value, this one among them.
    judgements: usize,
    /// The most calls in each other, for the same value.
    chain: usize,
    /// The most calls in each other, for all values, as far as no gate leads back.
    path: usize,
}

impl Measure {
    const ALONE: Self = Self {
        judgements: 1,
        chain: 1,
        path: 1,
    };
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
        let first = self.measures.len();
        self.measures.resize(arena.nodes.len(), Measure::ALONE);
        let Some(order) = self.stays_finite(arena, first, diagnostics) else {
            return false;
        };
        for &id in &order {
            let stays = arena.children(id).iter().filter(|(step, _)| step.stays());
            let judgements = stays.fold(1_usize, |sum, (_, child)| {
                sum.saturating_add(self.measure(*child).judgements)
            });
            self.amend(id, |measure| measure.judgements = judgements);
        }
        for id in first..arena.nodes.len() {
            for (step, child) in arena.children(id) {
                if !step.stays() && self.measure(*child).judgements >= WIDE {
                    self.gated.insert((id, *child));
                }
            }
        }
        let paths = self.gate_recursion(arena, first);
        for id in order {
            let chain = self.longest(arena, id, |step, below| step.stays().then_some(below.chain));
            self.amend(id, |measure| measure.chain = chain);
        }
        for id in paths {
            let path = self.longest(arena, id, |_, below| Some(below.path));
            self.amend(id, |measure| measure.path = path);
        }
        self.is_narrow(arena, first, diagnostics)
    }

    /// The depth of input up to which the engine cannot run out of stack; `None` is any.
    pub(super) fn deepest(&self) -> Option<usize> {
        let most = |of: fn(&Measure) -> usize| self.measures.iter().map(of).max().unwrap_or(1);
        if !self.recursive && most(|measure| measure.path) <= FRAMES {
            return None;
        }
        Some(FRAMES / (most(|measure| measure.chain) + GATE_FRAMES))
    }

    fn measure(&self, id: Id) -> Measure {
        self.measures.get(id).copied().unwrap_or(Measure::ALONE)
    }

    fn amend(&mut self, id: Id, change: impl FnOnce(&mut Measure)) {
        if let Some(measure) = self.measures.get_mut(id) {
            change(measure);
        }
    }

    /// One call, and the most that a step adds.
    fn longest(
        &self,
        arena: &Arena,
        id: Id,
        below: impl Fn(&Step, Measure) -> Option<usize>,
    ) -> usize {
        let calls = |(step, child): &(Step, Id)| {
            let below = below(step, self.measure(*child))?;
            let gate = if self.gated.contains(&(id, *child)) {
                GATE_FRAMES
            } else {
                0
            };
            let guard = if step.is_alternative() { 2 } else { 0 };
            Some(below + gate + guard)
        };
        1 + arena
            .children(id)
            .iter()
            .filter_map(calls)
            .max()
            .unwrap_or(0)
    }

    /// Says of every step that closes a circle without leaving its value that it does. Without one, the nodes in an
    /// order in which each comes after those that judge its value.
    fn stays_finite(
        &self,
        arena: &Arena,
        first: Id,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<Id>> {
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

    /// Puts a gate where recursion comes back: every circle has such a step.
    fn gate_recursion(&mut self, arena: &Arena, first: Id) -> Vec<Id> {
        let (gated, recursive) = (&mut self.gated, &mut self.recursive);
        walk(arena, first, |_| true, &mut |from, to| {
            gated.insert((from, to));
            *recursive = true;
        })
    }

    fn is_narrow(&self, arena: &Arena, first: Id, diagnostics: &mut Diagnostics) -> bool {
        let wide = (first..arena.nodes.len())
            .find(|id| self.measure(*id).judgements > MOST_JUDGEMENTS)
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
