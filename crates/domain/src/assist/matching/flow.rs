//! A least-cost flow by shortest augmenting paths: small, exact and the same each time.
//!
//! `start → need → source → … → end`. Of all paths with room the cheapest is filled first, by Dijkstra's algorithm over
//! costs that potentials keep from being negative (Edmonds and Karp 1972). Costs are ordered: what is covered, then
//! minutes, then cents; one integer holds all three, each in its own digits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::limits;

type Cost = i128;

/// One minute weighs more than all cents of a proposal together: 2⁵⁶ > `MATCH_UNITS` × `MATCH_CENTS`.
const MINUTE: Cost = 1 << 56;
/// One unit of weight weighs more than all minutes of a proposal together: 2⁴² > `MATCH_UNITS` × `MATCH_MINUTES`.
const WEIGHT: Cost = MINUTE << 42;

/// Names an edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge(usize);

/// Small, since searches read little else.
struct Arc {
    to: u32,
    room: u32,
}

impl Arc {
    const fn to(&self) -> usize {
        self.to as usize
    }
}

/// The network. An arc and its way back stand side by side.
pub(super) struct Flow {
    arcs: Vec<Arc>,
    /// Of one unit through each arc.
    costs: Vec<Cost>,
    from: Vec<Vec<usize>>,
    end: usize,
}

const START: usize = 0;
/// Farther than any way: sums of it stay within the integer.
const FAR: Cost = Cost::MAX / 4;

impl Flow {
    /// A network for some needs.
    pub(super) fn new(needs: usize) -> Self {
        // Start, end, then the needs.
        Self { arcs: Vec::new(), costs: Vec::new(), from: vec![Vec::new(); needs + 2], end: 1 }
    }

    fn arc(&mut self, from: usize, to: usize, room: u32, cost: Cost) -> Edge {
        let at = self.arcs.len();
        // A network of `MATCH_LINES` and `MATCH_SOURCES` has far fewer nodes.
        let node = |node: usize| u32::try_from(node).unwrap_or(u32::MAX);
        self.arcs.push(Arc { to: node(to), room });
        self.arcs.push(Arc { to: node(from), room: 0 });
        self.costs.extend([cost, -cost]);
        self.from[from].push(at);
        self.from[to].push(at + 1);
        Edge(at)
    }

    /// How much of a need is missing, and what one unit counts. Returns its node.
    pub(super) fn supply(&mut self, need: usize, missing: u32, weight: u32) -> usize {
        let node = need + 2;
        self.arc(START, node, missing.min(limits::MATCH_UNITS), -Cost::from(weight) * WEIGHT);
        node
    }

    /// Nodes of one source, one for each bound in ascending order: what enters at one leaves through all that follow.
    pub(super) fn chain(&mut self, bounds: impl DoubleEndedIterator<Item = u32>) -> Vec<usize> {
        let mut next = self.end;
        let mut nodes = Vec::new();
        for bound in bounds.rev() {
            let node = self.from.len();
            self.from.push(Vec::new());
            self.arc(node, next, bound, 0);
            nodes.push(node);
            next = node;
        }
        nodes.reverse();
        nodes
    }

    /// A source can serve a need.
    pub(super) fn pair(&mut self, need: usize, source: usize, most: u32, minutes: u32, cents: u64) -> Edge {
        let minutes = Cost::from(minutes.min(limits::MATCH_MINUTES));
        let cost = minutes * MINUTE + Cost::from(cents.min(limits::MATCH_CENTS));
        self.arc(need, source, most, cost)
    }

    /// How much goes through an edge.
    pub(super) fn through(&self, edge: Edge) -> u32 {
        self.arcs[edge.0 + 1].room
    }

    /// Fills the network as far as it goes, at the least cost.
    pub(super) fn solve(&mut self) {
        let mut potential = self.first_potentials();
        let mut search = Search::new(self.from.len());
        while let Some(far) = search.cheapest(self, &potential) {
            for (node, potential) in potential.iter_mut().enumerate() {
                let known = search.distance[node].filter(|_| search.settled[node]);
                *potential += known.unwrap_or(far);
            }
            let (mut node, mut room) = (self.end, u32::MAX);
            while node != START {
                let arc = search.by[node];
                room = room.min(self.arcs[arc].room);
                node = self.arcs[arc ^ 1].to();
            }
            node = self.end;
            while node != START {
                let arc = search.by[node];
                self.arcs[arc].room -= room;
                self.arcs[arc ^ 1].room += room;
                node = self.arcs[arc ^ 1].to();
            }
        }
    }

    /// What it takes from a node to the end in one step, if there is room.
    fn last_step(&self, node: usize, potential: &[Cost]) -> Cost {
        if node == self.end {
            return 0;
        }
        // A chain's way on is its first arc.
        match self.from[node].first().map(|at| (&self.arcs[*at], self.costs[*at])) {
            Some((arc, cost)) if arc.to() == self.end && arc.room > 0 => cost + potential[node] - potential[self.end],
            Some(_) | None => FAR,
        }
    }

    /// The cheapest ways without a step back: the network has no circle yet, and a chain's nodes were made from its last.
    fn first_potentials(&self) -> Vec<Cost> {
        let mut potential = vec![FAR; self.from.len()];
        potential[START] = 0;
        let needs = self.from[START].iter().map(|arc| self.arcs[*arc].to());
        let first = needs.clone().max().map_or(2, |last| last + 1);
        let order = [START].into_iter().chain(needs).chain((first..self.from.len()).rev());
        for node in order {
            for at in &self.from[node] {
                let arc = &self.arcs[*at];
                if arc.room > 0 && potential[node] < FAR {
                    potential[arc.to()] = potential[arc.to()].min(potential[node] + self.costs[*at]);
                }
            }
        }
        // Whatever can't be reached now can't be reached later either: no way back leads to it.
        potential.iter_mut().filter(|potential| **potential == FAR).for_each(|potential| *potential = 0);
        potential
    }
}

/// What a search for the cheapest way needs, kept from one to the next.
struct Search {
    distance: Vec<Option<Cost>>,
    settled: Vec<bool>,
    by: Vec<usize>,
    ahead: BinaryHeap<Reverse<(Cost, usize)>>,
}

impl Search {
    fn new(nodes: usize) -> Self {
        Self {
            distance: vec![None; nodes],
            settled: vec![false; nodes],
            by: vec![usize::MAX; nodes],
            ahead: BinaryHeap::new(),
        }
    }

    /// The distance of the end, if there is a way with room; `by` is then the way back.
    fn cheapest(&mut self, flow: &Flow, potential: &[Cost]) -> Option<Cost> {
        self.distance.fill(None);
        self.settled.fill(false);
        self.ahead.clear();
        self.distance[START] = Some(0);
        self.ahead.push(Reverse((0, START)));
        // No node from this distance on can be on a cheaper way than one that is known already.
        let mut known_way = Cost::MAX;
        while let Some(Reverse((far, node))) = self.ahead.pop() {
            if self.settled[node] {
                continue;
            }
            self.settled[node] = true;
            if node == flow.end {
                return Some(far);
            }
            let from_here = far + potential[node];
            for at in &flow.from[node] {
                let arc = &flow.arcs[*at];
                let to = arc.to();
                if arc.room == 0 || self.settled[to] {
                    continue;
                }
                let next = from_here + flow.costs[*at] - potential[to];
                if next >= known_way && to != flow.end {
                    continue;
                }
                if self.distance[to].is_none_or(|known| next < known) {
                    self.distance[to] = Some(next);
                    self.by[to] = *at;
                    self.ahead.push(Reverse((next, to)));
                    known_way = known_way.min(next + flow.last_step(to, potential));
                }
            }
        }
        None
    }
}
