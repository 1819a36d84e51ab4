//! Where a part of a network stands: in the names of nodes and in those of parameters.

/// A part of a network, such as the encoder.
#[derive(Clone, Debug)]
pub struct Place {
    node: String,
    parameters: String,
}

impl Place {
    /// A part with a path of nodes (`encoder`) and a path of parameters (`agent.encoder`).
    #[must_use]
    pub fn new(node: &str, parameters: &str) -> Self {
        Self { node: node.to_owned(), parameters: parameters.to_owned() }
    }

    /// A part of this part, with further paths of nodes and of parameters; the first may be empty.
    #[must_use]
    pub fn part(&self, node: &str, parameters: &str) -> Self {
        let slash = if node.is_empty() { "" } else { "/" };
        Self {
            node: format!("{}{slash}{node}", self.node),
            parameters: format!("{}.{parameters}", self.parameters),
        }
    }

    /// A part of this part whose two paths go on with the same name.
    #[must_use]
    pub fn at(&self, name: &str) -> Self {
        self.part(name, name)
    }

    /// Name of one of its nodes.
    #[must_use]
    pub fn node(&self, name: &str) -> String {
        format!("{}/{name}", self.node)
    }

    /// Name of one of its parameters, as in the checkpoint.
    #[must_use]
    pub fn parameter(&self, name: &str) -> String {
        format!("{}.{name}", self.parameters)
    }
}
