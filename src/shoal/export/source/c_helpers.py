"""What files of C hold beside the statements of their program."""

from __future__ import annotations

HELPERS = {
    "product": """static void product(const float *restrict a, int rows, int inner, const float *restrict b,
                    int columns, float *restrict out)
{
    int i, j, k;
    for (i = 0; i < rows; ++i, a += inner, out += columns) {
        for (k = 0; k < columns; ++k)
            out[k] = 0.0f;
        for (j = 0; j < inner; ++j)
            for (k = 0; k < columns; ++k)
                out[k] += a[j] * b[j * columns + k];
    }
}
""",
    "correlate": """static void correlate(const float *restrict x, const float *restrict kernel, int n0, int n1, int n2,
                      int k0, int k1, int k2, int s0, int s1, int s2, int d0, int d1, int d2, int p0, int p1, int p2,
                      int channels, int filters, float *restrict out)
{
    int a, b, c, i, j, k, l, f;
    (void)n0;
    for (a = 0; a < p0; ++a)
        for (b = 0; b < p1; ++b)
            for (c = 0; c < p2; ++c, out += filters) {
                const float *w = kernel;
                for (f = 0; f < filters; ++f)
                    out[f] = 0.0f;
                for (i = 0; i < k0; ++i)
                    for (j = 0; j < k1; ++j)
                        for (k = 0; k < k2; ++k) {
                            const int line = (a * s0 + i * d0) * n1 + b * s1 + j * d1;
                            const float *v = x + (line * n2 + c * s2 + k * d2) * channels;
                            for (l = 0; l < channels; ++l, w += filters)
                                for (f = 0; f < filters; ++f)
                                    out[f] += v[l] * w[f];
                        }
            }
}
""",
    "interpolate": """static float interpolate(float x, const float *corners, const float *values, int count)
{
    int low = 0, high = count - 1;
    if (!(x > corners[0]))
        return x != x ? x : values[0];
    if (x >= corners[high])
        return values[high];
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (x >= corners[middle])
            low = middle;
        else
            high = middle;
    }
    return values[low] + (values[high] - values[low]) * ((x - corners[low]) / (corners[high] - corners[low]));
}
""",
    "sort_rows": """static void sort_rows(float *x, int rows, int inner)
{
    int i, j;
    for (; rows > 0; --rows, x += inner)
        for (i = 1; i < inner; ++i) {
            const float value = x[i];
            for (j = i; j > 0 && x[j - 1] > value; --j)
                x[j] = x[j - 1];
            x[j] = value;
        }
}
""",
    "take_rows": """static void take_rows(const float *table, int rows, int width, const float *numbers, int count,
                      float *out)
{
    int i, j;
    for (i = 0; i < count; ++i) {
        const int row = numbers[i] >= 0.0f && numbers[i] < (float)rows ? (int)numbers[i] : 0;
        for (j = 0; j < width; ++j)
            out[i * width + j] = table[row * width + j];
    }
}
""",
    "mean_distance": """static void mean_distance(const float *x, int width, const float *rows, int count,
                          int neighbours, float *out)
{
    float nearest[NEIGHBOURS];
    float total = 0.0f;
    int i, j;
    for (i = 0; i < neighbours; ++i)
        nearest[i] = INFINITY;
    for (i = 0; i < count; ++i, rows += width) {
        float square = 0.0f;
        for (j = 0; j < width; ++j)
            square += (x[j] - rows[j]) * (x[j] - rows[j]);
        for (j = neighbours - 1; j > 0 && nearest[j - 1] > square; --j)
            nearest[j] = nearest[j - 1];
        if (nearest[j] > square)
            nearest[j] = square;
    }
    for (i = 0; i < neighbours; ++i)
        total += sqrtf(nearest[i]);
    *out = total / (float)neighbours;
}
""",
    "folds_end": """static void folds_end(const float *means, const float *stds, int folds, const float *scores,
                      const float *masses,
                      int count, const INDEX *starts, float pooled, float share, int bisections, float *out)
{
    float low = INFINITY, high = -INFINITY;
    int i;
    (void)count;
    for (i = 0; i < folds; ++i) {
        const float end = means[i] + pooled * stds[i];
        low = end < low ? end : low;
        high = end > high ? end : high;
    }
    for (; bisections > 0; --bisections) {
        const float middle = 0.5f * (low + high);
        float held = 0.0f;
        for (i = 0; i < folds; ++i) {
            const float size = (middle - means[i]) / stds[i];
            int first = (int)starts[i], last = (int)starts[i + 1];
            const int begin = first;
            while (first < last) {
                const int half = (first + last) / 2;
                if (scores[half] <= size)
                    first = half + 1;
                else
                    last = half;
            }
            held += first > begin ? masses[first - 1] : 0.0f;
        }
        if (held >= share)
            high = middle;
        else
            low = middle;
    }
    *out = high;
}
""",
}
