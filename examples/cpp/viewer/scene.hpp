// Stands in for the picture that a rendering server would send: a turning knot.
#pragma once

#include "canvas.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace viewer {

class Scene {
public:
    /// `life` is 0 for a still, grey shape, 1 for a bright one.
    void draw(Canvas& canvas, SDL_FRect area, float angle, float life) {
        build(area, angle, life);
        canvas.clip(area);
        canvas.geometry(vertices_, indices_);
        canvas.unclip();
    }

private:
    static constexpr int along = 180, around = 12;
    static constexpr float turn = 6.28318531f;

    struct Point {
        float x, y, z;
    };

    struct Face {
        float depth;
        int first;
    };

    static Point minus(Point a, Point b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
    static Point cross(Point a, Point b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
    static Point scaled(Point a, float by) { return {a.x * by, a.y * by, a.z * by}; }
    static Point unit(Point a) { return scaled(a, 1.0f / std::sqrt(a.x * a.x + a.y * a.y + a.z * a.z + 1e-9f)); }

    static Point knot(float t) {
        const float radius = 1.0f + 0.42f * std::cos(3.0f * t);
        return {radius * std::cos(2.0f * t), radius * std::sin(2.0f * t), 0.52f * std::sin(3.0f * t)};
    }

    static Point turned(Point p, float angle) {
        const float c = std::cos(angle), s = std::sin(angle);
        const Point about_y = {p.x * c + p.z * s, p.y, p.z * c - p.x * s};
        constexpr float tilt_cos = 0.86f, tilt_sin = 0.51f;
        return {about_y.x, about_y.y * tilt_cos - about_y.z * tilt_sin, about_y.y * tilt_sin + about_y.z * tilt_cos};
    }

    void build(SDL_FRect area, float angle, float life) {
        const float size = std::min(area.w, area.h) * 0.3f;
        vertices_.clear();
        faces_.clear();
        for (int i = 0; i < along; ++i) {
            const float t = turn * static_cast<float>(i) / along;
            const Point center = knot(t), ahead = unit(minus(knot(t + 0.01f), center));
            const Point side = unit(cross(ahead, {0.0f, 0.0f, 1.0f})), up = cross(side, ahead);
            for (int j = 0; j < around; ++j) {
                const float a = turn * static_cast<float>(j) / around;
                const float c = std::cos(a), s = std::sin(a);
                const Point normal = turned({side.x * c + up.x * s, side.y * c + up.y * s, side.z * c + up.z * s}, angle);
                const Point place = turned({center.x + 0.2f * (side.x * c + up.x * s), center.y + 0.2f * (side.y * c + up.y * s),
                                            center.z + 0.2f * (side.z * c + up.z * s)},
                                           angle);
                const float near = 1.0f / (1.0f - place.z * 0.22f);
                vertices_.push_back({{area.x + area.w / 2.0f + place.x * near * size, area.y + area.h / 2.0f - place.y * near * size},
                                     lit(normal, static_cast<float>(i) / along, life),
                                     {0.0f, 0.0f}});
                faces_.push_back({place.z, i * around + j});
            }
        }
        // Draws far ones first, so that near ones cover them.
        std::sort(faces_.begin(), faces_.end(), [](const Face& a, const Face& b) { return a.depth < b.depth; });
        indices_.clear();
        for (const Face& face : faces_) {
            const int i = face.first / around, j = face.first % around;
            const int next_i = (i + 1) % along, next_j = (j + 1) % around;
            const int a = i * around + j, b = next_i * around + j, c = next_i * around + next_j, d = i * around + next_j;
            indices_.insert(indices_.end(), {a, b, c, a, c, d});
        }
    }

    static Color lit(Point normal, float where, float life) {
        constexpr Color teal = {45, 212, 191, 255}, violet = {139, 92, 246, 255}, grey = {70, 80, 98, 255};
        const float wave = 0.5f + 0.5f * std::cos(turn * where);
        const Color base = mixed(grey, mixed(teal, violet, wave), life);
        const float toward = std::max(0.0f, normal.x * -0.4f + normal.y * 0.55f + normal.z * 0.73f);
        const Color shaded = mixed(Color{12, 16, 26, 255}, base, 0.18f + 0.82f * toward);
        const float gloss = std::pow(toward, 24.0f) * (0.15f + 0.55f * life);
        return mixed(shaded, Color{255, 255, 255, 255}, gloss);
    }

    std::vector<SDL_Vertex> vertices_;
    std::vector<Face> faces_;
    std::vector<int> indices_;
};

}  // namespace viewer
