// A command line for Roslyn, which comes as libraries. It loads them at run time, because Mono's mcs, which compiles this, cannot
// read the assemblies that Roslyn refers to.
//
// Usage: Roslyn.exe RESPONSE-FILE...
//
// Each response file has csc's arguments, one per line, with full paths of references. One process makes all compilations, because
// starting takes most of the time. Warnings count as errors. The exit code is 1 if a compilation fails.
using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Text;
using System.Threading;

static class Roslyn
{
    static readonly Assembly Core = Assembly.Load("Microsoft.CodeAnalysis");
    static readonly Assembly CSharp = Assembly.Load("Microsoft.CodeAnalysis.CSharp");

    static int Main(string[] responseFiles)
    {
        int failed = 0;
        foreach (string file in responseFiles) {
            List<string> complaints = Compile(File.ReadAllLines(file));
            if (complaints.Count > 0) {
                failed++;
                string name = Path.GetFileNameWithoutExtension(file);
                Console.WriteLine("{0}:\n  {1}", name, string.Join("\n  ", complaints));
            }
        }
        return failed == 0 ? 0 : 1;
    }

    /// Compiles as the arguments say, and returns the errors and warnings.
    static List<string> Compile(string[] arguments)
    {
        Type type = CSharp.GetType("Microsoft.CodeAnalysis.CSharp.CSharpCommandLineParser");
        dynamic parser = type.GetProperty("Default").GetValue(null, null);
        dynamic parsed = parser.Parse(arguments, Directory.GetCurrentDirectory(), null, null);
        List<string> complaints = Complaints(parsed.Errors);
        if (complaints.Count > 0) {
            return complaints;
        }

        List<object> trees = new List<object>();
        foreach (dynamic source in parsed.SourceFiles) {
            string path = source.Path;
            trees.Add(Call(
                CSharp, "CSharp.CSharpSyntaxTree", "ParseText", File.ReadAllText(path), parsed.ParseOptions, path,
                Encoding.UTF8, null, CancellationToken.None));
        }
        List<object> references = new List<object>();
        foreach (dynamic asked in parsed.MetadataReferences) {
            references.Add(Call(Core, "MetadataReference", "CreateFromFile", asked.Reference, asked.Properties, null));
        }
        string output = Path.Combine(parsed.OutputDirectory, parsed.OutputFileName);
        dynamic compilation = Call(
            CSharp, "CSharp.CSharpCompilation", "Create", Path.GetFileNameWithoutExtension(output),
            ArrayOf("SyntaxTree", trees), ArrayOf("MetadataReference", references), parsed.CompilationOptions);

        MemoryStream image = new MemoryStream();
        // Without a stream for the documentation, Roslyn does not check it.
        MemoryStream documentation = parsed.DocumentationPath == null ? null : new MemoryStream();
        dynamic result = compilation.Emit(
            image, null, documentation, null, null, parsed.EmitOptions, null, null, null, null, CancellationToken.None);
        complaints = Complaints(result.Diagnostics);
        if (complaints.Count == 0) {
            File.WriteAllBytes(output, image.ToArray());
        }
        return complaints;
    }

    static List<string> Complaints(dynamic diagnostics)
    {
        List<string> complaints = new List<string>();
        foreach (dynamic diagnostic in diagnostics) {
            string severity = diagnostic.Severity.ToString();
            if ((severity == "Error" || severity == "Warning") && !diagnostic.IsSuppressed) {
                complaints.Add(diagnostic.ToString());
            }
        }
        return complaints;
    }

    static object Call(Assembly assembly, string type, string method, params object[] arguments)
    {
        const BindingFlags flags = BindingFlags.InvokeMethod | BindingFlags.Static | BindingFlags.Public;
        return assembly.GetType("Microsoft.CodeAnalysis." + type).InvokeMember(method, flags, null, null, arguments);
    }

    static Array ArrayOf(string type, List<object> items)
    {
        Array array = Array.CreateInstance(Core.GetType("Microsoft.CodeAnalysis." + type), items.Count);
        Array.Copy(items.ToArray(), array, items.Count);
        return array;
    }
}
