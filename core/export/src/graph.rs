//! Builds an ONNX graph node by node and keeps track of shapes.
//!
//! The first axis of every computed tensor is the batch, whose size is left open. A node and its
//! output have the same name, a path such as `encoder/0/conv`; parameters have the names of the
//! checkpoint. Every shape is known when a node is added, so a graph always says the shapes of all of
//! its tensors, and readers can check them.

use prost::Message as _;

use crate::proto::{
    AttributeProto, AttributeType, Dimension, DimensionProto, ElementType, GraphProto, ModelProto,
    NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};

/// Version of the format of a file.
const IR_VERSION: i64 = 8;
/// Version of the operators.
const OPSET: i64 = 17;
/// Name of the size of the first axis.
const BATCH: &str = "batch";

/// A tensor of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    name: String,
    /// Sizes behind the batch; all sizes of a constant.
    shape: Vec<usize>,
}

impl Value {
    /// Its sizes; without the batch if the graph computes it.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements of one sample.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A graph that is being built.
#[derive(Debug)]
pub struct Graph {
    graph: GraphProto,
}

/// An attribute that is a list of integers.
#[must_use]
pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    let value = AttributeProto { ints: values.to_vec(), ..AttributeProto::default() };
    attribute(name, AttributeType::Ints, value)
}

/// An attribute that is an integer.
#[must_use]
pub fn int(name: &str, value: i64) -> AttributeProto {
    let value = AttributeProto { i: Some(value), ..AttributeProto::default() };
    attribute(name, AttributeType::Int, value)
}

/// An attribute that is a number.
#[must_use]
pub fn float(name: &str, value: f32) -> AttributeProto {
    let value = AttributeProto { f: Some(value), ..AttributeProto::default() };
    attribute(name, AttributeType::Float, value)
}

fn attribute(name: &str, kind: AttributeType, value: AttributeProto) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(kind.into()), ..value }
}

impl Graph {
    /// A graph without nodes.
    #[must_use]
    pub fn new(name: &str, what: &str) -> Self {
        let graph = GraphProto {
            name: Some(name.to_owned()),
            doc_string: Some(what.to_owned()),
            ..GraphProto::default()
        };
        Self { graph }
    }

    /// An input `[batch, shape...]`.
    pub fn input(&mut self, name: &str, kind: ElementType, shape: &[usize], what: &str) -> Value {
        self.graph.input.push(described(name, kind, shape, Some(what)));
        Value { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// Makes a computed tensor an output of the graph with this name. Call it after all nodes were
    /// added: `value` is not known under its old name then.
    pub fn output(&mut self, value: &Value, kind: ElementType, name: &str, what: &str) {
        for node in &mut self.graph.node {
            let tensors = node.input.iter_mut().chain(&mut node.output);
            tensors.filter(|tensor| **tensor == value.name).for_each(|t| name.clone_into(t));
        }
        self.graph.value_info.retain(|info| info.name.as_ref() != Some(&value.name));
        self.graph.output.push(described(name, kind, &value.shape, Some(what)));
    }

    /// A constant of numbers.
    pub fn weights(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, ElementType::Float, shape, bytes)
    }

    /// A constant list of integers.
    pub fn integers(&mut self, name: &str, values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, ElementType::Int64, &[values.len()], bytes)
    }

    /// A constant integer without axes.
    pub fn integer(&mut self, name: &str, value: i64) -> Value {
        self.constant(name, ElementType::Int64, &[], value.to_le_bytes().to_vec())
    }

    /// A constant of truth values.
    pub fn truths(&mut self, name: &str, shape: &[usize], values: &[bool]) -> Value {
        let bytes = values.iter().map(|&value| u8::from(value)).collect();
        self.constant(name, ElementType::Bool, shape, bytes)
    }

    fn constant(
        &mut self,
        name: &str,
        kind: ElementType,
        shape: &[usize],
        bytes: Vec<u8>,
    ) -> Value {
        self.graph.initializer.push(TensorProto {
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type: Some(kind.into()),
            name: Some(name.to_owned()),
            raw_data: Some(bytes),
        });
        Value { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// Adds a node that computes numbers; `shape` is that of its output behind the batch.
    pub fn node(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
        shape: &[usize],
    ) -> Value {
        self.node_of(ElementType::Float, name, operator, inputs, attributes, shape)
    }

    /// Adds a node whose output has elements of a kind.
    pub fn node_of(
        &mut self,
        kind: ElementType,
        name: &str,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
        shape: &[usize],
    ) -> Value {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|input| input.name.clone()).collect(),
            output: vec![name.to_owned()],
            name: Some(name.to_owned()),
            op_type: Some(operator.to_owned()),
            attribute: attributes,
        });
        self.graph.value_info.push(described(name, kind, shape, None));
        Value { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// A node that keeps the shape of its only input.
    pub fn map(&mut self, name: &str, operator: &str, input: &Value) -> Value {
        self.node(name, operator, &[input], Vec::new(), input.shape())
    }

    /// A node of two inputs, of which the second is broadcast to the shape of the first.
    pub fn pair(&mut self, name: &str, operator: &str, left: &Value, right: &Value) -> Value {
        self.node(name, operator, &[left, right], Vec::new(), left.shape())
    }

    /// [`Self::pair`] with a number.
    pub fn with_number(&mut self, name: &str, operator: &str, left: &Value, right: f32) -> Value {
        let right = self.weights(&format!("{name}/number"), &[], &[right]);
        self.pair(name, operator, left, &right)
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, name: &str, input: &Value, shape: &[usize]) -> Value {
        if input.shape() == shape {
            return input.clone();
        }
        // 0 stands for the size of the input's axis: the batch.
        let sizes: Vec<i64> =
            std::iter::once(0).chain(shape.iter().map(|&size| size as i64)).collect();
        let sizes = self.integers(&format!("{name}/shape"), &sizes);
        self.node(name, "Reshape", &[input, &sizes], Vec::new(), shape)
    }

    /// Each sample as a vector.
    pub fn flatten(&mut self, name: &str, input: &Value) -> Value {
        self.reshape(name, input, &[input.len()])
    }

    /// Reorders the axes behind the batch: axis `i` of the output is axis `order[i]` of the input, the
    /// first behind the batch being 0.
    pub fn transpose(&mut self, name: &str, input: &Value, order: &[usize]) -> Value {
        let shape: Vec<usize> = order.iter().map(|&axis| input.shape()[axis]).collect();
        let all: Vec<i64> =
            std::iter::once(0).chain(order.iter().map(|&axis| axis as i64 + 1)).collect();
        self.node(name, "Transpose", &[input], vec![ints("perm", &all)], &shape)
    }

    /// Sum over axes behind the batch, which disappear.
    pub fn sum(&mut self, name: &str, input: &Value, axes: &[usize]) -> Value {
        let shape = without(input.shape(), axes);
        let axes: Vec<i64> = axes.iter().map(|&axis| axis as i64 + 1).collect();
        let axes = self.integers(&format!("{name}/axes"), &axes);
        self.node(name, "ReduceSum", &[input, &axes], vec![int("keepdims", 0)], &shape)
    }

    /// The entries at `index` of an axis behind the batch, which disappears.
    pub fn select(&mut self, name: &str, input: &Value, axis: usize, index: usize) -> Value {
        let shape = without(input.shape(), &[axis]);
        let index = self.integer(&format!("{name}/index"), index as i64);
        let attributes = vec![int("axis", axis as i64 + 1)];
        self.node(name, "Gather", &[input, &index], attributes, &shape)
    }

    /// Product of matrices; the right one is a constant with as many axes or fewer.
    pub fn matmul(&mut self, name: &str, left: &Value, right: &Value) -> Value {
        let mut shape = left.shape().to_vec();
        if let (Some(last), Some(&columns)) = (shape.last_mut(), right.shape().last()) {
            *last = columns;
        }
        self.node(name, "MatMul", &[left, right], Vec::new(), &shape)
    }

    /// Softmax over an axis behind the batch.
    pub fn softmax(&mut self, name: &str, input: &Value, axis: usize) -> Value {
        let attributes = vec![int("axis", axis as i64 + 1)];
        self.node(name, "Softmax", &[input], attributes, input.shape())
    }

    /// Tensors beside each other along an axis behind the batch.
    pub fn concat(&mut self, name: &str, inputs: &[&Value], axis: usize) -> Value {
        let mut shape = inputs[0].shape().to_vec();
        shape[axis] = inputs.iter().map(|input| input.shape()[axis]).sum();
        self.node(name, "Concat", inputs, vec![int("axis", axis as i64 + 1)], &shape)
    }

    /// The graph as the bytes of an ONNX file.
    #[must_use]
    pub fn finish(self, what: &str, facts: &[(&str, String)]) -> Vec<u8> {
        let entry = |(key, value): &(&str, String)| StringStringEntryProto {
            key: Some((*key).to_owned()),
            value: Some(value.clone()),
        };
        let model = ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: Some("deepspi".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            doc_string: Some(what.to_owned()),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto {
                domain: Some(String::new()),
                version: Some(OPSET),
            }],
            metadata_props: facts.iter().map(entry).collect(),
        };
        model.encode_to_vec()
    }
}

/// A shape without some of its axes.
fn without(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    kept.map(|(_, &size)| size).collect()
}

/// Name, type and shape `[batch, shape...]` of a tensor.
fn described(name: &str, kind: ElementType, shape: &[usize], what: Option<&str>) -> ValueInfoProto {
    let sizes = shape.iter().map(|&size| Dimension::Value(size as i64));
    let all = std::iter::once(Dimension::Param(BATCH.to_owned())).chain(sizes);
    let shape =
        TensorShapeProto { dim: all.map(|size| DimensionProto { value: Some(size) }).collect() };
    let tensor = TensorTypeProto { elem_type: Some(kind.into()), shape: Some(shape) };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor) }),
        doc_string: what.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_has_its_new_name_wherever_it_was_used() {
        let mut graph = Graph::new("test", "");
        let x = graph.input("x", ElementType::Float, &[2, 3], "");
        let flat = graph.flatten("flat", &x);
        let twice = graph.pair("twice", "Add", &flat, &flat);
        graph.output(&flat, ElementType::Float, "latent", "");
        graph.output(&twice, ElementType::Float, "double", "");
        let model = ModelProto::decode(&graph.finish("", &[])[..]).expect("ONNX");
        let graph = model.graph.expect("a graph");
        assert_eq!(graph.node[0].output, ["latent"]);
        assert_eq!(
            (&graph.node[1].input, &graph.node[1].output),
            (&vec!["latent".to_owned(), "latent".to_owned()], &vec!["double".to_owned()])
        );
        assert!(graph.value_info.is_empty(), "outputs are described once");
        let sizes = graph.initializer[0].raw_data().chunks_exact(8);
        let sizes: Vec<i64> =
            sizes.map(|size| i64::from_le_bytes(size.try_into().expect("8 bytes"))).collect();
        assert_eq!(sizes, [0, 6]);
    }

    #[test]
    fn axes_are_counted_behind_the_batch() {
        let mut graph = Graph::new("test", "");
        let x = graph.input("x", ElementType::Float, &[2, 3, 4], "");
        assert_eq!(graph.transpose("t", &x, &[2, 0, 1]).shape(), [4, 2, 3]);
        assert_eq!(graph.sum("s", &x, &[0, 2]).shape(), [3]);
        assert_eq!(graph.select("g", &x, 1, 2).shape(), [2, 4]);
        assert_eq!(graph.concat("c", &[&x, &x], 1).shape(), [2, 6, 4]);
        assert_eq!(graph.reshape("r", &x, &[2, 3, 4]), x, "nothing to do");
        let model = ModelProto::decode(&graph.finish("", &[])[..]).expect("ONNX");
        let transpose = &model.graph.expect("a graph").node[0];
        assert_eq!(transpose.attribute[0].ints, [0, 3, 1, 2]);
    }
}
