//! The texts that engines are judged on, and what is right for each.

/// One text.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) text: String,
    /// Whether an engine must flag it.
    pub(crate) profane: bool,
    /// The trick that was played, or the kind of text; a part of its group's table.
    pub(crate) kind: String,
    /// The word in it, where a word was disguised.
    pub(crate) word: Option<String>,
}

impl Sample {
    pub(crate) fn clean(text: impl Into<String>, kind: &str) -> Self {
        Self {
            text: text.into(),
            profane: false,
            kind: kind.to_owned(),
            word: None,
        }
    }

    pub(crate) fn profane(text: impl Into<String>, kind: &str) -> Self {
        Self {
            profane: true,
            ..Self::clean(text, kind)
        }
    }

    /// The same, and of this word.
    pub(crate) fn of(self, word: &str) -> Self {
        Self {
            word: Some(word.to_owned()),
            ..self
        }
    }
}

/// Texts that make one column.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) samples: Vec<Sample>,
    /// Judged as where every string of a body is looked at, and not only those that people write.
    pub(crate) values: bool,
}

impl Group {
    /// Of texts that people write.
    pub(crate) fn new(name: &'static str, samples: Vec<Sample>) -> Self {
        Self {
            name,
            samples,
            values: false,
        }
    }

    /// Of texts that machines write.
    pub(crate) fn of_values(name: &'static str, samples: Vec<Sample>) -> Self {
        Self {
            values: true,
            ..Self::new(name, samples)
        }
    }

    /// The kinds in it, in the order of their first texts.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        let mut kinds = Vec::new();
        for sample in &self.samples {
            if !kinds.contains(&sample.kind.as_str()) {
                kinds.push(sample.kind.as_str());
            }
        }
        kinds
    }
}

/// The groups of one origin, which are reported together.
pub(crate) struct Sets {
    /// Profane words undisguised (kind `plain`) and under each trick.
    pub(crate) evasions: Group,
    /// Benign words under the same tricks.
    pub(crate) styled: Group,
    /// Names of players, profane and not.
    pub(crate) names: Group,
    /// Clean text, by where it is from.
    pub(crate) clean: Vec<Group>,
    /// Text of which people disagree whether it is profane: shown, and held against nobody.
    pub(crate) disputed: Option<Group>,
}

impl Sets {
    /// All groups.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Group> {
        [&self.evasions, &self.styled, &self.names]
            .into_iter()
            .chain(&self.clean)
            .chain(&self.disputed)
    }
}

/// The lines of a text, without those that are empty.
pub(crate) fn lines(text: &'static str) -> Vec<&'static str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}
