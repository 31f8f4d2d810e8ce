//! Random sequences of every operation, compared with the naive model.

use std::collections::HashMap;

use podgate_index::{Change, ClusterId, Facet, Index, Page, Query, Reach, Relist, Scope};
use proptest::{collection::vec, option, prelude::*};

use crate::{
    naive::{Naive, NaiveRelist},
    random::{ALL, NAMESPACES, change, cluster, facet, query, scope, text},
};

#[derive(Clone, Debug)]
enum Step {
    Apply(ClusterId, Vec<Change>),
    Begin(ClusterId, Option<String>),
    Finish(usize),
    Abandon(usize),
    Tidy,
    RemoveCluster(ClusterId),
    Query(Box<Query>),
    Facets(Box<Query>, Facet),
    Stats(ClusterId, Scope),
    Usage(ClusterId),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (cluster(), vec(change(), 1..12)).prop_map(|(cluster, changes)| Step::Apply(cluster, changes)),
        2 => (cluster(), option::of(text(&NAMESPACES))).prop_map(|(cluster, namespace)| Step::Begin(cluster, namespace)),
        2 => (0..4usize).prop_map(Step::Finish),
        1 => (0..4usize).prop_map(Step::Abandon),
        1 => Just(Step::Tidy),
        1 => cluster().prop_map(Step::RemoveCluster),
        8 => query().prop_map(|query| Step::Query(Box::new(query))),
        2 => (query(), facet()).prop_map(|(query, facet)| Step::Facets(Box::new(query), facet)),
        1 => (cluster(), scope()).prop_map(|(cluster, scope)| Step::Stats(cluster, scope)),
        2 => cluster().prop_map(Step::Usage),
    ]
}

#[derive(Default)]
struct Both {
    index: Index,
    naive: Naive,
    relists: Vec<(Relist, NaiveRelist)>,
    /// Each query's answer at each generation.
    answers: HashMap<(Query, u64), Page>,
    queries: Vec<Query>,
}

impl Both {
    /// Checks that a generation of a query never stands for two answers.
    fn generation(&mut self, query: Query, answer: Page) -> Result<(), TestCaseError> {
        let generation = self.index.read().generation(&query);
        let known = self
            .answers
            .entry((query.clone(), generation))
            .or_insert_with(|| answer.clone());
        prop_assert_eq!(&*known, &answer, "{:?} at {}", query, generation);
        if !self.queries.contains(&query) {
            self.queries.push(query);
        }
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Apply(cluster, changes) => {
                self.naive.apply(cluster, &changes);
                self.index.apply(cluster, changes);
            }
            Step::Begin(cluster, namespace) => {
                let namespace = namespace.as_deref();
                let relist = self.index.begin(cluster, namespace);
                self.relists.push((relist, self.naive.begin(cluster, namespace)));
            }
            Step::Finish(at) if at < self.relists.len() => {
                let (relist, naive) = self.relists.remove(at);
                prop_assert_eq!(self.index.finish(relist), self.naive.finish(&naive));
            }
            Step::Abandon(at) if at < self.relists.len() => drop(self.relists.remove(at)),
            Step::Finish(_) | Step::Abandon(_) => {}
            Step::Tidy => self.index.tidy(),
            Step::RemoveCluster(cluster) => {
                self.naive.remove_cluster(cluster);
                self.index.remove_cluster(cluster);
            }
            Step::Query(query) => {
                let answer = self.naive.query(&query);
                prop_assert_eq!(&self.index.query(&query), &answer, "{:?}", query);
                let canonical = query.clone().canonical();
                prop_assert_eq!(&self.index.query(&canonical), &answer, "{:?}", query);
                prop_assert_eq!(&canonical.clone().canonical(), &canonical);
                self.generation(*query, answer)?;
            }
            Step::Facets(query, facet) => {
                let reader = self.index.read();
                let found = reader.find(&query);
                prop_assert_eq!(found.facets(facet), self.naive.facets(&query, facet), "{:?}", query);
                let facets = [facet, Facet::Status, facet, Facet::Problem];
                let reach = Reach {
                    clusters: ALL.to_vec(),
                    scope: query.scope.clone(),
                };
                // The canonical form cuts the scope to the clusters asked for.
                let canonical = query.clone().canonical();
                let expected = found.other_facets(&facets, &reach);
                prop_assert_eq!(
                    reader.find(&canonical).other_facets(&facets, &reach),
                    expected,
                    "{:?}",
                    query
                );
                for (counted, facet) in found.other_facets(&facets, &reach).into_iter().zip(facets) {
                    let expected = self.naive.other_facets(&query, facet, &ALL);
                    prop_assert_eq!(counted, expected, "{:?} by {:?}", query, facet);
                }
                for key in ["app", "rank", "none"] {
                    let labels = [found.label_keys(), found.label_values(key)];
                    prop_assert_eq!(labels, self.naive.labels(&query, key), "{:?}", query);
                }
            }
            Step::Usage(cluster) => prop_assert_eq!(self.index.usage(cluster), self.naive.usage(cluster)),
            Step::Stats(cluster, scope) => {
                prop_assert_eq!(self.index.stats(cluster, &scope), self.naive.stats(cluster, &scope));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn answers_as_the_naive_model_does(steps in vec(step(), 1..60)) {
        let mut both = Both::default();
        for step in steps {
            both.take(step)?;
            for query in both.queries.clone() {
                let answer = both.naive.query(&query);
                both.generation(query, answer)?;
            }
        }
    }
}
