// The durations of recent frames.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace viewer {

/// The last samples of a duration, in milliseconds, and their statistics.
class Times {
public:
    static constexpr std::size_t kept = 240;

    void add(std::chrono::nanoseconds time) {
        samples_[next_] = std::chrono::duration<float, std::milli>(time).count();
        next_ = (next_ + 1) % kept;
        count_ = std::min(count_ + 1, kept);
    }

    std::size_t count() const { return count_; }

    /// 0 is the oldest.
    float at(std::size_t index) const { return samples_[(next_ + kept - count_ + index) % kept]; }

    float mean() const {
        float sum = 0.0f;
        for (std::size_t i = 0; i < count_; ++i) {
            sum += at(i);
        }
        return count_ == 0 ? 0.0f : sum / static_cast<float>(count_);
    }

    float most() const {
        float most = 0.0f;
        for (std::size_t i = 0; i < count_; ++i) {
            most = std::max(most, at(i));
        }
        return most;
    }

private:
    std::array<float, kept> samples_ = {};
    std::size_t next_ = 0, count_ = 0;
};

}  // namespace viewer
