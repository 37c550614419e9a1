"""Layers with input shapes that the contract suites run through; a new layer enters here to be tried by all of them."""

# ruff: noqa: F403, F405 - all layers are wanted

from __future__ import annotations

from collections.abc import Iterator

from shoal.networks.layers import *

Example = tuple[Layer, tuple[int, ...]]


def _of_families() -> Iterator[Example]:
    """Give examples of layers that there are for series, images and volumes."""
    for rank in (1, 2, 3):

        def kind(name: str, rank: int = rank) -> type[Layer]:
            return LAYERS[f"{name}{rank}D"]

        for name in ("MaxPooling", "MinPooling", "AveragePooling"):
            space = (5, 4, 6)[:rank]
            yield kind(name)(), (*space, 2)
            yield kind(name)(3, strides=2, padding="same"), (*space, 1)
            yield kind(name)(2, 1), (*space, 2)
        for name in ("GlobalMaxPooling", "GlobalAveragePooling"):
            for keepdims in (False, True):
                yield kind(name)(keepdims=keepdims), (*(4, 3, 2)[:rank], 2)
        small = (3, 2, 2)[:rank]
        for size in (2, (3, 1, 2)[:rank]):
            yield kind("UpSampling")(size), (*small, 2)
        for rim in (1, ((0, 2), (1, 0), (2, 1))[:rank]):
            yield kind("ZeroPadding")(rim), (*small, 2)
        for rim in (1, ((0, 2), (1, 0), (1, 1))[:rank]):
            yield kind("Cropping")(rim), (*(4, 5, 3)[:rank], 2)
        yield kind("SpatialDropout")(0.5), (*small, 4)


_ALL: list[Example] = [
    *_of_families(),
    (Dense(3), (4,)),
    (Dense(3, activation="softmax", name="out"), (4,)),
    (Dense(3, activation=("relu", "tanh", "linear"), use_bias=False), (2,)),
    (Dense(4, activation="glu", kernel_initializer="he_normal", bias_initializer="ones"), (3,)),
    (Dense(2, activation="gelu"), (3, 5)),
    (DenseWithConstants(1, 1), (4,)),
    (DenseWithConstants(3, 2, kernel_initializer="he_normal", name="out"), (2,)),
    (DenseWithConstants(2, 1), (3, 5)),
    (Dropout(0.5), (4,)),
    (Dropout(0.0), (2, 3)),
    (Activation("tanh"), (4,)),
    (Activation("glu"), (3, 4)),
    (Activation(("relu", "sigmoid")), (2,)),
    (Activation(None), ()),
    (ReLU(), (4,)),
    (ReLU(1.5, 0.1, 0.5, name="bent"), (3, 2)),
    (PReLU(), (4,)),
    (PReLU("ones", (1,), name="slopes"), (3, 2)),
    (PReLU("random_normal", (1, 2)), (2, 2, 3)),
    (Softmax(), (4,)),
    (Softmax(name="classes"), (3, 4)),
    (Flatten(), (2, 3)),
    (Flatten(), (4,)),
    (Flatten(), ()),
    (Conv1D(3, 3), (7, 2)),
    (Conv1D(2, 2, padding="causal", dilation_rate=2, activation="tanh", use_bias=False), (6, 1)),
    (Conv1D(4, 3, strides=2, padding="same", activation="glu"), (5, 2)),
    (Conv2D(3, 3, activation="relu"), (6, 5, 2)),
    (Conv2D(2, (2, 3), strides=(2, 1), padding="same", use_bias=False), (5, 4, 1)),
    (Conv2D(2, 2, dilation_rate=2, activation=("tanh", "relu")), (4, 5, 2)),
    (Conv3D(2, 2), (3, 4, 3, 1)),
    (Conv3D(2, (1, 2, 3), strides=2, padding="same"), (3, 4, 2, 2)),
    (DepthwiseConv1D(3), (6, 2)),
    (DepthwiseConv1D(2, padding="same", depth_multiplier=3, dilation_rate=2, use_bias=False), (5, 2)),
    (DepthwiseConv2D(2, activation="relu"), (4, 5, 2)),
    (DepthwiseConv2D((3, 2), strides=2, padding="same", depth_multiplier=2), (5, 4, 3)),
    (SeparableConv1D(3, 3, activation="tanh"), (6, 2)),
    (SeparableConv1D(2, 2, padding="same", depth_multiplier=2), (5, 2)),
    (SeparableConv2D(3, 2), (4, 4, 2)),
    (SeparableConv2D(2, (2, 3), strides=2, padding="same", use_bias=False), (5, 4, 1)),
    (Conv1DTranspose(2, 3, strides=2), (4, 3)),
    (Conv1DTranspose(3, 2, dilation_rate=3, padding="same", activation="tanh", use_bias=False), (5, 2)),
    (Conv1DTranspose(2, 2, strides=3, padding="same"), (3, 1)),
    (Conv2DTranspose(2, 3, strides=2, padding="same"), (3, 2, 2)),
    (Conv2DTranspose(3, (2, 3), strides=(1, 2), activation="relu"), (3, 3, 1)),
    (Conv3DTranspose(2, 2, strides=2), (2, 3, 2, 1)),
    (Conv3DTranspose(1, 3, padding="same"), (2, 2, 3, 2)),
    (UpSampling2D((2, 3), "bilinear"), (3, 2, 2)),
    (Reshape((2, 3)), (6,)),
    (Reshape((-1, 2)), (3, 4)),
    (Reshape(4), (2, 2)),
    (Permute((2, 1)), (2, 3)),
    (Permute((3, 1, 2)), (2, 3, 4)),
    (RepeatVector(3), (2,)),
    (GaussianNoise(0.5), (4,)),
    (GaussianNoise(0.0), (2, 3)),
    (SimpleRNN(3), (4, 2)),
    (SimpleRNN(2, "relu", True, use_bias=False), (3, 1)),
    (SimpleRNN(2, go_backwards=True, return_sequences=True, bias_initializer="ones"), (1, 3)),
    (LSTM(3), (4, 2)),
    (LSTM(2, "softsign", True, recurrent_activation="hard_sigmoid", use_bias=False), (3, 1)),
    (LSTM(2, go_backwards=True, unit_forget_bias=False), (3, 2)),
    (GRU(3), (4, 2)),
    (GRU(2, "softsign", True, recurrent_activation="hard_sigmoid", use_bias=False), (3, 1)),
    (GRU(2, go_backwards=True, bias_initializer="random_normal"), (3, 2)),
    (GRU(2, return_sequences=True, reset_after=False, bias_initializer="ones"), (3, 2)),
    (Bidirectional(LSTM(2)), (4, 3)),
    (Bidirectional(GRU(2, return_sequences=True), "sum", name="both"), (3, 2)),
    (Bidirectional(SimpleRNN(3, go_backwards=True), "mul"), (3, 1)),
    (Bidirectional(GRU(2, return_sequences=True, reset_after=False), merge_mode="ave"), (2, 2)),
    (TimeDistributed(Dense(3, activation="softmax", name="inner")), (4, 2)),
    (TimeDistributed(Dropout(0.5)), (2, 3, 2)),
    (TimeDistributed(Activation("tanh"), name="steps"), (3,)),
    (Residual((Dense(6, activation="relu"), Dropout(0.5), Dense(4))), (4,)),
    (Residual((Dense(3),), projection=Dense(3, use_bias=False, name="way")), (2, 2)),
    (Residual((Residual((Dense(2),)), Activation("tanh")), name="twice"), (2,)),
    (Branches(((Dense(3, activation="relu"), Dense(4)), ())), (4,)),
    (Branches(((Dense(2),), (), (Dense(1, name="one"),)), "concatenate"), (3, 2)),
    (Branches(((Branches(((Dense(2),), ()), "multiply"),), ()), "average", name="twice"), (2,)),
    (Branches(((), (Dense(2),)), "maximum"), (2,)),
    (Branches(((), (Dense(2),)), "minimum"), (2,)),
    (Masking(), (4, 2)),
    (Masking(-1.0, name="padding"), (3, 1)),
    (Embedding(8, 3), (4,)),
    (Embedding(5, 2, True, name="words"), (2, 3)),
    (Embedding(5, 1), ()),
    (BatchNormalization(), (4,)),
    (BatchNormalization(0.9, 1e-5, center=False, scale=False, name="norm"), (3, 2)),
    (BatchNormalization(gamma_initializer="random_normal"), (2, 2, 3)),
    (LayerNormalization(), (4,)),
    (LayerNormalization(1e-5, center=False, name="norm"), (3, 2)),
    (LayerNormalization(scale=False), (2, 2, 3)),
    (GroupNormalization(2), (4,)),
    (GroupNormalization(-1, 1e-5, center=False, name="norm"), (3, 2)),
    (GroupNormalization(3, scale=False), (2, 2, 6)),
    (Normalization(1.0, 4.0), (4,)),
    (Normalization((1.0, -2.0), (0.25, 0.0), name="norm"), (3, 2)),
    (Normalization((1.0, 0.5, 0.0), 2.0), (2, 2, 3)),
    (Normalization(1.0, 2.0), ()),
    (Rescaling(2.0), (4,)),
    (Rescaling((1.0, 2.0), 0.5, name="size"), (3, 2)),
    (Rescaling(0.5, -1.0), ()),
    (PiecewiseEncoding(((-1.0, 0.0, 0.5), (), (-0.25, 0.75))), (3,)),
    (PiecewiseEncoding(((-1.0, 0.0, 0.5, 2.0), (-0.5, 1.5)), name="bins"), (3, 2)),
    (QuantileEncoding(((-1.0, 0.0, 0.5), (), (-0.25, 0.75)), ((-1.5, 0.0, 1.0), (), (0.0, 1.0))), (3,)),
    (QuantileEncoding(((-1.0, 0.0, 2.0), (-0.5, 1.5)), ((-1.0, 0.5, 1.0), (-2.0, 2.0)), name="ranks"), (3, 2)),
    (LeakyReLU(), (4,)),
    (ELU(), (4,)),
    (Identity(), (4,)),
]
EXAMPLES: dict[str, list[Example]] = {
    name: [each for each in _ALL if type(each[0]).__name__ == name] for name in LAYERS
}
