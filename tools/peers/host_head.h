// From two rows of logits to a token, on one thread of the host. Written so that a compiler vectorises every loop (see build.sh), which makes it
// a strong baseline: exponentials eight or sixteen at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

class HostHead {
  public:
    explicit HostHead(int vocabulary) : z_(vocabulary), block_sums_(vocabulary / block_size + 1) {}

    // z = (1 − λ)·r + λ·a
    void mix(const float* r, const float* a, float lambda) {
        const int count = static_cast<int>(z_.size());
        float* const z = z_.data();
        float max = r[0] + lambda * (a[0] - r[0]);
        for (int i = 0; i < count; i++) {
            z[i] = r[i] + lambda * (a[i] - r[i]);
            max = std::max(max, z[i]);
        }
        max_ = max;
    }

    int argmax() const { return static_cast<int>(std::find(z_.begin(), z_.end(), max_) - z_.begin()); }

    // A token of softmax(z) at temperature 1; u is uniform in [0, 1).
    int draw(double u) {
        const int count = static_cast<int>(z_.size());
        float* const z = z_.data();
        const float max = max_;  // a copy: a store to z might otherwise change it
        double sum = 0;
        for (int block = 0; block < count; block += block_size) {
            float part = 0;
            const int end = std::min(block + block_size, count);
            for (int i = block; i < end; i++) {
                z[i] = std::exp(z[i] - max);
                part += z[i];
            }
            block_sums_[block / block_size] = part;
            sum += part;
        }

        // The block in which the cumulative sum passes u·sum, then the token in it.
        double left = u * sum;
        int block = 0;
        for (; block + block_size < count && block_sums_[block / block_size] <= left; block += block_size) {
            left -= block_sums_[block / block_size];
        }
        const int end = std::min(block + block_size, count);
        for (int i = block; i < end; i++) {
            left -= z[i];
            if (left < 0) {
                return i;
            }
        }
        return end - 1;
    }

  private:
    static constexpr int block_size = 512;

    std::vector<float> z_, block_sums_;
    float max_ = 0;
};
